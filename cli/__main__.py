"""The `steward` command: finds the command that is called, and says what went wrong in one line."""

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

import typer

from cli.output import EXIT_FAILED, EXIT_WRONG, complain
from cli.table_of_contents import steward
from domain.errors import StewardError
from settings import Settings

INTERRUPTED = 130


def main(words: Sequence[str]) -> int:
    """The exit code: 0 done, 1 the world is not as it should be, 2 the request is wrong, 130 interrupted."""
    as_json = "--json" in words
    try:
        result = steward(args=list(words), prog_name="steward", standalone_mode=False)
    except typer.TyperException as error:
        return _wrong_request(error, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _nobody_reads()
    except Exception as error:  # noqa: BLE001 - the last line of defence: nobody is shown a traceback
        return _unforeseen(error, as_json=as_json)
    return result if isinstance(result, int) else 0


def _wrong_request(error: typer.TyperException, *, as_json: bool) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # its help is printed already
        return EXIT_WRONG
    path = context.command_path if context else "steward"
    message = " ".join(error.format_message().replace("Value error, ", "").split())
    complain(message, hint=f"`{path} --help` says what it takes", kind="WrongRequest", as_json=as_json)
    return EXIT_WRONG


def _unforeseen(error: Exception, *, as_json: bool) -> int:
    what = str(error).strip().partition("\n")[0]
    hint = "this was not foreseen; `./steward doctor` may say more, and STEWARD_LOG_LEVEL=debug shows where it happened"
    with suppress(StewardError):
        if Settings.load().log_level == "debug":
            traceback.print_exception(error)
    complain(f"{type(error).__name__}: {what}", hint=hint, kind=type(error).__name__, as_json=as_json)
    return EXIT_FAILED


def _nobody_reads() -> int:
    """``steward … | head``: what is left to say goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal may know few characters
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        _nobody_reads()
    finally:
        os._exit(code)  # the Temporal SDK's runtime can crash while the interpreter tears down, after all work is done
