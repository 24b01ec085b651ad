"""Installs the real systems that connectors are tried against: ``python -m tests.peers.install``.

Does nothing where they are there. Says what is missing, and fails, where it cannot install.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.peers import vendure_peer

PACKAGES = {
    "/usr/sbin/dovecot": "dovecot-imapd",
    "/usr/sbin/mariadbd": "mariadb-server-core",  # the server without its service
    "/usr/bin/my_print_defaults": "mariadb-client-core",
    "/usr/bin/php": "php-cli",
    "/var/lib/dpkg/info/php-mysql.list": "php-mysql",
    "/var/lib/dpkg/info/php-mbstring.list": "php-mbstring",
    "/var/lib/dpkg/info/php-xml.list": "php-xml",
}
"""A path by which each package is known, with the package's name in Debian."""

UNPACKED = Path.home() / ".cache" / "steward-peers" / "debian"
WORDPRESS = UNPACKED / "usr" / "share" / "wordpress"
"""WordPress is only unpacked: installed, its package would bring a web server along and start it."""


def main() -> int:
    return max(_debian(), _vendure())


def _debian() -> int:
    missing = [package for path, package in PACKAGES.items() if not Path(path).exists()]
    unpacked = (WORDPRESS / "wp-load.php").exists()
    if not missing and unpacked:
        return 0
    wanted = [*missing, *([] if unpacked else ["wordpress"])]
    if shutil.which("apt-get") is None:
        return _give_up(wanted, "this is no Debian, so they cannot be installed from here")
    if os.geteuid() != 0 and shutil.which("sudo") is None:
        return _give_up(wanted, "installing them needs root")
    calls = [["update", "-qq"], *([["install", "-y", "-qq", "--no-install-recommends", *missing]] if missing else [])]
    for words in calls:
        if not _apt_get(*words):
            return _give_up(wanted, f"apt-get {words[0]} failed")
    if not unpacked and not _unpack("wordpress"):
        return _give_up(["wordpress"], "it could not be downloaded and unpacked")
    return 0


def _apt_get(*words: str) -> bool:
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run([*as_root, "apt-get", *words], env=quiet, check=False).returncode == 0


def _unpack(package: str) -> bool:
    """Into UNPACKED, whole or not at all as far as WORDPRESS is asked for."""
    with tempfile.TemporaryDirectory() as scratch:
        if subprocess.run(["apt-get", "download", "-qq", package], cwd=scratch, check=False).returncode != 0:
            return False
        (archive,) = Path(scratch).glob("*.deb")
        shutil.rmtree(UNPACKED, ignore_errors=True)
        UNPACKED.mkdir(parents=True)
        return subprocess.run(["dpkg-deb", "--extract", archive, UNPACKED], check=False).returncode == 0


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
