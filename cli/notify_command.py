"""``steward notify``: where messages to the operator go, and whether they get through."""

import asyncio
from typing import Annotated

import typer

from cli.output import EXIT_FAILED, AsJson, give_up, print_json, print_table, say
from connectors.apprise_notifier import AppriseNotifier, addresses
from domain.errors import StewardError
from domain.notifying import Notification, ServiceAnswer
from settings import Settings

_HOW = "set STEWARD_NOTIFY_URLS, or write the addresses into the file {}, one a line, and chmod 600 it"
_TEST = Notification(title="Steward", body="This is a test: messages from Steward get through to you here.")


def register(app: typer.Typer) -> None:
    """Add the command to the main one."""
    app.command()(notify)


def notify(
    *,
    test: Annotated[bool, typer.Option("--test", help="Send a test line and say what each service answered.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say where messages to you go; --test tries it. The exit code is 1 where a test line did not get through or none was sent."""
    try:
        settings = Settings.load()
        file = settings.home / "notify"
        notifier = AppriseNotifier(addresses(settings.notify_urls, file))
    except StewardError as error:
        give_up(error, as_json=as_json)
    deliveries = asyncio.run(notifier.send(_TEST, to=notifier.services)) if test else ()
    if as_json:
        print_json({"services": notifier.services, "deliveries": deliveries})
    elif not notifier.services:
        say(f"{'No test line was sent' if test else 'Nothing is sent anywhere'}: {_HOW.format(file)}.")
    else:
        _print(notifier.services, deliveries)
    if test and not (deliveries and all(delivery.ok for delivery in deliveries)):
        raise typer.Exit(EXIT_FAILED)


def _print(services: tuple[str, ...], deliveries: tuple[ServiceAnswer, ...]) -> None:
    if deliveries:
        print_table("Test line", ("service", "taken", "answer"), [(d.service, "yes" if d.ok else "no", d.said) for d in deliveries])
    else:
        say(f"Messages go to {', '.join(services)}. `./steward notify --test` tries it.")
