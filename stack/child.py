"""Runs a command so that it cannot outlive its supervisor: sets what only the process itself can set, then execs.

Run as a script in a bare interpreter (``python -I -S child.py --parent PID --signal N [--account UID:GID [--reach]]
-- command``); it imports nothing of Steward, so that it costs 20 ms and not 200.
"""

import argparse
import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def main() -> None:
    options = _options()
    if options.account:
        uid, gid = (int(number) for number in options.account.split(":"))
        _become(uid, gid, reach=options.reach)
    if sys.platform == "linux":
        # After the change of account: that change clears the setting.
        _prctl(PR_SET_PDEATHSIG, options.signal)
    if os.getppid() != options.parent:
        sys.exit("the supervisor ended before this process had started")
    os.execv(options.command[0], options.command)  # noqa: S606 - no shell is wanted


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, required=True)
    parser.add_argument("--account", metavar="UID:GID")
    parser.add_argument("--reach", action="store_true")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _become(uid: int, gid: int, *, reach: bool) -> None:
    if reach:
        # Without this bit the next two calls drop every capability, and access(2) would ignore those kept.
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if reach:
        _keep_only(CAP_DAC_OVERRIDE)


def _keep_only(capability: int) -> None:
    """Give up every capability but one, and hand that one on through exec."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if _libc().capset(header, effective_permitted_inheritable) != 0:
        _fail("capset")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, *arguments: int) -> None:
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    if _libc().prctl(option, *values) != 0:
        _fail(f"prctl {option}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _fail(call: str) -> None:
    sys.exit(f"{call} failed: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
