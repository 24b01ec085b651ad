"""What was steered, and who came in, in words: controls, access, policies, trials and the upkeep of the log."""

from domain.access import LoggedIn, LoginRefused, LoginWay, PasswordSet, TokenIssued, TokenRevoked
from domain.autonomy import ClassReviewed
from domain.event import EventData
from domain.events import FactStated, NoteTaken
from domain.experiments import ExperimentJudged, ExperimentStarted
from domain.flags import FlagSet
from domain.passkeys import PasskeyAdded, PasskeyDoubted, PasskeyRemoved
from domain.policies import (
    PolicyActivated,
    PolicyDropped,
    PolicyPinned,
    PolicyProposed,
    PolicyTrialEnded,
    PolicyTrialStarted,
)
from domain.retention import MonthArchived, MonthAttached, UpkeepDone
from domain.runs import AlertClosed, BreakerReset, KillSwitchSet, ModeSet


def steered(data: EventData) -> str:
    """One line; empty where it is about something else."""
    return _of_controls(data) or _of_access(data) or _of_policies(data) or _of_learning(data) or _of_memory(data)


def _of_controls(data: EventData) -> str:
    match data:
        case ModeSet(scope=scope, mode=mode, by=by):
            return f"mode of {scope} set to {mode} by {by}"
        case KillSwitchSet(on=on, reason=reason, by=by):
            return f"kill switch {'on' if on else 'off'} by {by}{f': {reason}' if reason else ''}"
        case BreakerReset(connector=connector, action_kind=kind, failures=failures, by=by):
            return f"breaker of {connector} for {kind} reset by {by} after {failures} failures"
        case AlertClosed(key=key, by=by):
            return f"alert {key} dealt with by {by}"
    return ""


def _of_access(data: EventData) -> str:
    match data:
        case LoggedIn(network=network, refused=refused, way=way):
            return f"logged in{_with(way)} from {network}{f' after {refused} refused tries' if refused else ''}"
        case LoginRefused(network=network, refused=refused, way=way):
            return f"log-in{_with(way)} refused {refused} times from {network}: it has to wait"
        case PasswordSet(how=how):
            terminal = "password set at the terminal, which ends every session and passkey"
            return {"first": "first password set", "changed": "password changed"}.get(how, terminal)
        case PasskeyAdded(name=name, rp_id=rp_id):
            return f"passkey {name} added for {rp_id}"
        case PasskeyRemoved(name=name):
            return f"passkey {name} removed"
        case PasskeyDoubted(name=name, network=network):
            return f"passkey {name} refused from {network}: its counter went back, so there may be a copy of it"
        case TokenIssued(name=name, scopes=scopes):
            return f"token {name} issued: {', '.join(scopes)}"
        case TokenRevoked(name=name):
            return f"token {name} revoked"
    return ""


def _with(way: LoginWay) -> str:
    return " with a passkey" if way is LoginWay.PASSKEY else ""


def _of_policies(data: EventData) -> str:
    match data:
        case PolicyActivated(name=name, version=version):
            return f"policy {name}: version {version.version} in force, approved by {version.approved_by}"
        case PolicyProposed(name=name, version=version):
            return f"policy {name}: version {version.version} proposed by {version.proposed_by}"
        case PolicyDropped(name=name, number=number, why=why, by=by):
            return f"policy {name}: version {number} dropped by {by}: {why}"
        case PolicyPinned(name=name, on=on, by=by):
            return f"policy {name} {'pinned' if on else 'released'} by {by}"
        case PolicyTrialStarted(name=name, experiment_id=experiment_id):
            return f"policy {name}: trial {experiment_id} begins"
        case PolicyTrialEnded(name=name, experiment_id=experiment_id):
            return f"policy {name}: trial {experiment_id} is over"
        case FlagSet(flag=flag, by=by):
            return f"flag {flag.key} set by {by}"
    return ""


def _of_learning(data: EventData) -> str:
    match data:
        case ExperimentStarted(experiment=experiment):
            return f"trial {experiment.experiment_id} started"
        case ExperimentJudged(experiment_id=experiment_id, stage=stage, ending=ending, by=by, reason=reason):
            return f"trial {experiment_id}: {ending or stage}, by {by}{f': {reason}' if reason else ''}"
        case ClassReviewed(key=key, corrected=corrected):
            return f"{key} {'corrected' if corrected else 'confirmed'}"
    return ""


def _of_memory(data: EventData) -> str:
    match data:
        case FactStated(fact=fact):
            return f"stated: {fact.subject} {fact.predicate} is {fact.object}"
        case NoteTaken(note=note):
            return f"noted: {' '.join(note.text.split())[:100]}"
        case MonthArchived(manifest=manifest):
            return f"month {manifest.partition} archived"
        case MonthAttached(partition=partition):
            return f"month {partition} put back"
        case UpkeepDone(upkeep=upkeep):
            return f"upkeep: {upkeep.line}"
    return ""
