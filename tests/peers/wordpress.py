"""A WordPress of the test's own: its files, its MariaDB and its PHP server in a private folder, on loopback only."""

import asyncio
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.contract.wordpress_cases import Blog
from tests.peers.dovecot import free_port
from tests.peers.install import PACKAGES, WORDPRESS
from tests.workflow.waiting import until

_CONFIG = """<?php
define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:{socket}' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'WP_HOME', '{url}' );
define( 'WP_SITEURL', '{url}' );
define( 'WP_ENVIRONMENT_TYPE', 'local' );  // application passwords without https
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'DISABLE_WP_CRON', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'AUTH_KEY', '{salt}' );
define( 'SECURE_AUTH_KEY', '{salt}' );
define( 'LOGGED_IN_KEY', '{salt}' );
define( 'NONCE_KEY', '{salt}' );
function wp_mail() {{ return true; }}
define( 'WP_DEFAULT_THEME', 'bare' );
$table_prefix = 'wp_';
require_once __DIR__ . '/wp-settings.php';
"""
_PLAIN = """<?php
foreach ( array( 'permalink_structure', 'rewrite_rules' ) as $option ) {{
	add_filter( "pre_option_$option", fn( $given ) => file_exists( '{plain}' ) ? '' : $given );
}}
"""
_THEME = """<?php
wp_head();
while ( have_posts() ) { the_post(); the_title( '<h1>', '</h1>' ); the_post_thumbnail( 'full' ); the_content(); }
wp_footer();
"""
_DATABASE = """<?php
( new mysqli( 'localhost', 'root', '', '', 0, '{socket}' ) )->query( 'CREATE DATABASE IF NOT EXISTS wordpress' );
"""
_SMALL = (
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--innodb-flush-log-at-trx-commit=2",
)


@dataclass(frozen=True)
class Wordpress:
    """Users by their roles: administrator, editor, author, contributor."""

    url: str
    passwords: dict[str, str]
    plain: Path

    @contextmanager
    def plain_addresses(self) -> Iterator[None]:
        """As under Settings, Permalinks, Plain."""
        self.plain.touch()
        try:
            yield
        finally:
            self.plain.unlink()

    def blog(self, role: str = "editor") -> Blog:
        return Blog(self.url, f"the-{role}", self.passwords[role])

    async def empty(self) -> None:
        """Without posts, also in the trash, and without pictures."""
        admin = self.blog("administrator")
        for media in await admin.call("GET", "media", per_page="100"):
            await admin.call("DELETE", f"media/{media['id']}", force="true")
        for post in await admin.posts():
            await admin.call("DELETE", f"posts/{post['id']}", force="true")


@contextmanager
def wordpress() -> Iterator[Wordpress]:
    """Installed, without posts; everything is gone afterwards."""
    _require()
    home = Path(tempfile.mkdtemp(prefix="wp-"))
    with ExitStack() as running:
        running.callback(shutil.rmtree, home, ignore_errors=True)
        _files(home, url := f"http://127.0.0.1:{free_port()}")
        _as_owner(
            home, ["mariadb-install-db", *_database(home), "--auth-root-authentication-method=normal", "--skip-test-db", *_SMALL]
        )
        running.enter_context(_process(home, "mariadbd", ["/usr/sbin/mariadbd", *_database(home), *_serving(home)]))
        _wait(lambda: _there(home / "mysql.sock"), log=home / "mariadbd.log")
        passwords = json.loads(_as_owner(home, ["php", "setup_wordpress.php"]))
        command = ["php", "-d", "opcache.enable_cli=1", "-S", url.removeprefix("http://"), "-t", str(home / "site")]
        running.enter_context(_process(home, "php", command))
        _wait(lambda: _answers(url), log=home / "php.log")
        yield Wordpress(url, passwords, home / "plain")


def _require() -> None:
    missing = [package for path, package in PACKAGES.items() if not Path(path).exists()]
    if missing or not WORDPRESS.exists():
        raise AssertionError(f"{', '.join(missing) or 'wordpress'} is not installed: `make test-peers` does it")


def _files(home: Path, url: str) -> None:
    """WordPress's own files are copied, since it takes for its folder where they really are."""
    shutil.copytree(WORDPRESS, site := home / "site", ignore_dangling_symlinks=True)
    given = {"socket": home / "mysql.sock", "url": url, "salt": secrets.token_hex(32), "plain": home / "plain"}
    for name, text in {
        "mu-plugins/plain.php": _PLAIN.format(**given),
        "themes/bare/index.php": _THEME,
        "themes/bare/style.css": "",
    }.items():
        (path := site / "wp-content" / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (site / "wp-config.php").write_text(_CONFIG.format(**given))
    (site / "wp-config-database.php").write_text(_DATABASE.format(**given))
    shutil.copy(Path(__file__).with_name("setup_wordpress.php"), site)
    (home / "data").mkdir()
    if os.geteuid() == 0:
        owner = _owner()
        for path in (home, *home.rglob("*")):
            os.chown(path, owner["user"], owner["group"], follow_symlinks=False)


def _database(home: Path) -> tuple[str, ...]:
    return ("--no-defaults", f"--datadir={home}/data", f"--tmpdir={home}")


def _serving(home: Path) -> tuple[str, ...]:
    where = (f"--socket={home}/mysql.sock", f"--pid-file={home}/mysql.pid", "--skip-networking")
    return (
        *where,
        *_SMALL,
        "--innodb-fast-shutdown=2",  # what it holds is thrown away
        "--skip-name-resolve",
        "--performance-schema=OFF",
        "--character-set-server=utf8mb4",
    )


def _owner() -> dict[str, Any]:
    """Root lends its processes to somebody without rights."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _as_owner(home: Path, command: list[str]) -> str:
    where: dict[str, Any] = {"cwd": home / "site", "env": _environment(home), **_owner()}
    done = subprocess.run(command, capture_output=True, check=False, **where)
    assert done.returncode == 0, f"{command[0]} failed: {done.stdout!r} {done.stderr!r}"
    return bytes(done.stdout).decode()


@contextmanager
def _process(home: Path, name: str, command: list[str]) -> Iterator[None]:
    """In a group of its own, since PHP's server leaves its workers behind."""
    with (home / f"{name}.log").open("wb") as log:
        running = subprocess.Popen(
            command, cwd=home / "site", env=_environment(home), stdout=log, stderr=log, start_new_session=True, **_owner()
        )
    try:
        yield
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(60)


def _environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "PHP_CLI_SERVER_WORKERS": "4"}


def _wait(fact: Callable[[], Awaitable[bool]], *, log: Path) -> None:
    """Raises AssertionError with the log where it never is so."""
    try:
        asyncio.run(until(fact))
    except TimeoutError:
        raise AssertionError(f"{log.stem} did not start: {log.read_text()[-4_000:]}") from None


async def _there(path: Path) -> bool:
    return path.exists()  # noqa: ASYNC240 - of no consequence here


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(timeout=20) as client:
        try:
            return (await client.get(f"{url}/wp-json/", params={"_fields": "name"})).is_success
        except httpx.TransportError:
            return False
