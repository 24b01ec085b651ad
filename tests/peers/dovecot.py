"""A Dovecot of the test's own: private configuration, loopback only, and no rights that the test has not."""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from tests.contract.mail_servers import PASSWORD, Post, smtp_server
from tests.workflow.waiting import until

DOVECOT = Path("/usr/sbin/dovecot")
_CONFIG = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{home}/mail/%u
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    special_use = \\Sent
    auto = create
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap {{
  process_limit = 64
}}
"""


@asynccontextmanager
async def dovecot_servers() -> AsyncIterator[Post]:
    """An empty mailbox on Dovecot, behind the sending server of the fast suite."""
    _require()
    home = Path(tempfile.mkdtemp(prefix="dovecot-"))
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    port = free_port()
    server = _started(home, account, port)
    try:
        post = Post(imap_port=port)
        await _answers(port, home)
        async with smtp_server(post) as post.smtp_port:
            yield post
    finally:
        server.terminate()
        await asyncio.to_thread(server.wait, 20)
        shutil.rmtree(home, ignore_errors=True)


def _require() -> None:
    if not os.access(DOVECOT, os.X_OK):
        raise AssertionError("Dovecot is not installed: `make test-peers` does it")
    version = subprocess.check_output([DOVECOT, "--version"], text=True)
    if not version.startswith("2.3."):
        raise AssertionError(f"this configuration is for Dovecot 2.3, not {version.strip()}")


def _started(home: Path, account: pwd.struct_passwd, port: int) -> "subprocess.Popen[bytes]":
    for folder in ("run", "state", "mail"):
        (home / folder).mkdir()
    names = {"user": account.pw_name, "uid": account.pw_uid, "gid": account.pw_gid}
    group = subprocess.check_output(["id", "-gn", account.pw_name], text=True).strip()
    config = home / "dovecot.conf"
    config.write_text(_CONFIG.format(home=home, port=port, password=PASSWORD, group=group, **names))
    for path in (home, *home.iterdir()):
        os.chown(path, account.pw_uid, account.pw_gid)
    if os.geteuid() != 0:
        return subprocess.Popen([DOVECOT, "-F", "-c", config], cwd=home)
    user, group_id = account.pw_uid, account.pw_gid
    return subprocess.Popen([DOVECOT, "-F", "-c", config], cwd=home, user=user, group=group_id, extra_groups=[])


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


async def _answers(port: int, home: Path) -> None:
    """Once it greets. Raises AssertionError with its log where it never does."""

    async def greeted() -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        greeting = await reader.readline()
        writer.close()
        return greeting.startswith(b"* OK")

    try:
        await until(greeted)
    except TimeoutError:
        log = home / "dovecot.log"
        raise AssertionError(f"Dovecot did not start: {log.read_text() if log.exists() else 'no log'}") from None
