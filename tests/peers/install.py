"""Installs the real systems that connectors are tried against: ``python -m tests.peers.install``.

Does nothing where they are there. Says what is missing, and fails, where it cannot install.
"""

import os
import shutil
import subprocess
import sys

from tests.peers import vendure_peer

PACKAGES = {"/usr/sbin/dovecot": "dovecot-imapd"}
"""A program by which each package is known, with the package's name in Debian."""


def main() -> int:
    return max(_debian(), _vendure())


def _debian() -> int:
    missing = [package for program, package in PACKAGES.items() if not os.access(program, os.X_OK)]
    if not missing:
        return 0
    if shutil.which("apt-get") is None:
        return _give_up(missing, "this is no Debian, so they cannot be installed from here")
    if os.geteuid() != 0 and shutil.which("sudo") is None:
        return _give_up(missing, "installing them needs root")
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
        done = subprocess.run([*as_root, "apt-get", *words], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False)
        if done.returncode != 0:
            return _give_up(missing, f"apt-get {words[0]} failed")
    return 0


def _vendure() -> int:
    """Exactly what its lock file names, into a folder of its own. No package runs anything of its own while it is installed."""
    folder = vendure_peer.installed_at()
    if vendure_peer.is_installed():
        return 0
    if shutil.which("npm") is None:
        return _give_up(["vendure"], "installing it needs Node.js with npm")
    folder.mkdir(parents=True, exist_ok=True)
    for name in vendure_peer.NAMED_BY:
        shutil.copy(vendure_peer.SOURCE / name, folder)
    quietly = ("--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error")
    done = subprocess.run(["npm", "ci", *quietly], cwd=folder, check=False)
    return _give_up(["vendure"], "npm ci failed") if done.returncode else 0


def _give_up(missing: list[str], why: str) -> int:
    sys.stderr.write(f"The connectors were not tried against real systems: {', '.join(missing)} is missing, and {why}.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
