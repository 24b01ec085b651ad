"""The `steward` command: every group of commands mounted on one app."""

import logging
import os
import sys

import click
import structlog
import typer

from cli import approval_commands, demo_command, run_commands, stack_commands
from cli.import_commands import import_app
from cli.memory_commands import log_app, memory_app, state_app

app = typer.Typer(
    name="steward",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Steward runs the routine of a one-person company and asks you where judgement is needed.",
)


def _mount() -> None:
    stack_commands.register(app)
    demo_command.register(app)
    approval_commands.register(app)
    run_commands.register(app)
    app.add_typer(import_app, name="import")
    app.add_typer(log_app, name="log")
    app.add_typer(state_app, name="state")
    app.add_typer(memory_app, name="memory")


def main() -> int:
    """The exit code: 0 done, 1 the world is not as it should be, 2 the request is wrong, 130 interrupted."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    _mount()
    try:
        result = app(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        return 0
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)  # the Temporal SDK's runtime can crash while the interpreter tears down, after all work is done
