"""Brings a browser for the tests of the console: ``python -m tests.browser.install``.

Does nothing where the right one is there. As root on Debian it is the distribution's, elsewhere the one that Playwright downloads.
Where none can be had it says so and goes on: the tests then leave themselves out, with a line at the end, and fail in CI.
"""

import os
import shutil
import subprocess
import sys

from tests.browser.chromium import SHELL, program


def main() -> int:
    if shutil.which(SHELL) or _from_debian() or program() or _from_playwright():
        return 0
    sys.stderr.write("No browser could be installed, so the tests of the console's pages will be left out.\n")
    return 0


def _from_debian() -> bool:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}

    def done(*words: str) -> bool:
        return subprocess.run(["apt-get", *words], env=environ, check=False).returncode == 0

    install = ("install", "-y", "-qq", "--no-install-recommends", "fonts-dejavu-core")
    return done("update", "-qq") and (done(*install, SHELL) or done(*install, "chromium"))  # the former is not in every release


def _from_playwright() -> bool:
    return subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
