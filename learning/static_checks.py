"""What a candidate has to pass before it is even replayed: valid, narrow, small, free of secrets and of customers' words. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from agents.prompting import bundled
from agents.skills.message_text import newest
from domain.entities import Direction, Ticket
from domain.failures import Failure
from domain.ids import canonical_json
from domain.learning import Candidate
from domain.model import Moment
from domain.policies import POLICY_TYPES, PolicyRecord, PolicyVersion
from learning.documents import Change, changed, document_of, in_force, same_change
from learning.instructions import unfit
from learning.steering import GAVE_WAY

NEW_CASES = 3
"""Cases since a version was dropped, before the same change may be proposed again."""
_FORGOTTEN_AFTER = timedelta(days=60)  # where a kind of candidate names no cases: a back-test, a refit
_LEAVES = {"content": 24, "stock": 6, "autonomy": 6}
_FEW_LEAVES = 4
_LONGEST_TEXT = 1_200
_MOST_GROWTH = 4_000  # characters of JSON
_COPIED_WORDS = 8
_COPIED_INTO_A_PROMPT = 5  # what a model reads as an order takes fewer words to be one
_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_PRIVATE: dict[str, re.Pattern[str]] = {
    "a mail address": re.compile(r"[\w.+%-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"),
    "a phone number": re.compile(r"(?<![\w-])(?:\+|00)?\d[\d /()-]{6,18}\d(?![\w-])"),
    "an order number": re.compile(r"\border\s+(?:no\.?\s*|number\s*|#\s*)?[A-Z]{0,4}-?\d{3,}|#\d{3,}", re.IGNORECASE),
    "a bank account": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"),
    "a secret": re.compile(
        r"(?<![\w/])(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])[\w+/=-]{24,}|\b(?:password|api[-_ ]?key|token)\s*[:=]", re.IGNORECASE
    ),
}


def refusals(
    candidate: Candidate,
    record: PolicyRecord,
    *,
    texts: Iterable[str] = (),
    names: Collection[str] = (),
    failures: Sequence[Failure] = (),
    now: Moment,
) -> tuple[str, ...]:
    """Every reason to refuse it, for people; empty where it may go on.

    ``texts`` are what customers wrote (``customers_words``), which must not come back in a policy, and ``names`` theirs
    (``customers_names``), which must not come into a prompt. ``failures`` tell how many of its examples are newer than the
    time an equal change was dropped.
    """
    if candidate.policy not in POLICY_TYPES or candidate.policy != record.name:
        return (f"there is no policy {candidate.policy}",)
    try:
        POLICY_TYPES[record.name].model_validate(candidate.document)
    except ValidationError as error:
        return (f"the document is not valid: {error.errors()[0]['msg']}",)
    before = in_force(record)
    return (
        *_conflicts(candidate, record),
        *_too_wide(candidate, before),
        *_unfit_texts(candidate, before, texts),
        *_unfit_prompts(candidate, before, names),
        *_remembered(candidate, record, failures, now),
    )


def under_way(candidate: Candidate, record: PolicyRecord) -> bool:
    """Whether a version that changes the same waits for an answer, or is being tried."""
    return bool(_waiting(candidate, record))


def customers_words(tickets: Iterable[Ticket]) -> Iterator[str]:
    """What customers wrote themselves: neither our own mails nor what they quote of them."""
    return (newest(m.body) for ticket in tickets for m in ticket.messages if m.direction is Direction.INBOUND)


def customers_names(tickets: Iterable[Ticket]) -> frozenset[str]:
    """The words of customers' names and mail addresses before the @, in lower case."""
    senders = (re.sub(r"@[^\s>]*", " ", ticket.sender) for ticket in tickets)
    return frozenset(word.lower() for sender in senders for word in _LETTERS.findall(sender))


def _conflicts(candidate: Candidate, record: PolicyRecord) -> Iterator[str]:
    if record.pinned:
        yield f"{record.name} is pinned"
    if record.trial:
        yield f"{record.trial} is being tried on {record.name}"
    if candidate.parent != record.active:
        yield f"it was made from version {candidate.parent} of {record.name}, and version {record.active} is in force"
    if waiting := _waiting(candidate, record):
        yield f"version {waiting[0]}, which changes the same, waits for an answer"


def _waiting(candidate: Candidate, record: PolicyRecord) -> list[int]:
    mine = changed(in_force(record), candidate.document)
    return [v.version for v in record.proposed if mine.keys() & _change_of(v, record).keys()]


def _too_wide(candidate: Candidate, before: dict[str, Any]) -> Iterator[str]:
    count, most = len(changed(before, candidate.document)), _LEAVES.get(candidate.policy, _FEW_LEAVES)
    growth = len(canonical_json(candidate.document)) - len(canonical_json(before))
    if not count:
        yield "it changes nothing"
    if count > most:
        yield f"it changes {count} places of {candidate.policy}, at most {most} can be judged at once"
    if growth > _MOST_GROWTH:
        yield f"it makes the document {growth} characters longer"


def _unfit_texts(candidate: Candidate, before: dict[str, Any], texts: Iterable[str]) -> Iterator[str]:
    """About texts that are new or changed, and what in them was not in the old text."""
    length = _COPIED_INTO_A_PROMPT if candidate.policy == "prompts" else _COPIED_WORDS
    told = [set(_runs(text, length)) for text in texts]
    for path, (old, new) in changed(before, candidate.document).items():
        if not isinstance(new, str) or candidate.policy == "autonomy":
            continue
        known = old if isinstance(old, str) else ""
        if len(new) > _LONGEST_TEXT:
            yield f"{path} is {len(new)} characters long"
        for what, pattern in _PRIVATE.items():
            if any(match[0] not in known for match in pattern.finditer(new)):
                yield f"{path} holds {what}"
        own = set(_runs(new, length)) - set(_runs(known, length))
        if any(own & copied for copied in told):
            yield f"{path} copies what a customer wrote"


def _unfit_prompts(candidate: Candidate, before: dict[str, Any], names: Collection[str]) -> Iterator[str]:
    """About additions to prompts, which have to be plain wording."""
    if candidate.policy != "prompts":
        return
    for task, (old, new) in changed(before, candidate.document).items():
        for reason in unfit(str(new), str(old), known=bundled(task), names=names):
            yield f"the addition to {task} {reason}"


def _remembered(candidate: Candidate, record: PolicyRecord, failures: Sequence[Failure], now: Moment) -> Iterator[str]:
    """A change that was tried or refused before comes back only on new evidence; one that gave way was neither."""
    mine = changed(in_force(record), candidate.document)
    for number, why in record.dropped.items():
        version = record.version(number)
        if why == GAVE_WAY or version is None or not same_change(mine, _change_of(version, record)):
            continue
        since = _dropped_at(record, version)
        fresh = {f.run_id for f in failures if f.run_id in candidate.examples and f.at > since}
        if len(fresh) >= NEW_CASES or (not candidate.examples and now - since > _FORGOTTEN_AFTER):
            continue
        yield f"version {number} was the same and was dropped ({why}); {len(fresh)} cases are new since, it takes {NEW_CASES}"


def _change_of(version: PolicyVersion, record: PolicyRecord) -> Change:
    """What a version changed of the one it was made from."""
    return changed(document_of(record, version.parent), document_of(record, version.version))


def _dropped_at(record: PolicyRecord, version: PolicyVersion) -> Moment:
    """The end of its trial, or, where that is not known, when it was proposed."""
    ends = (t.ended_at for t in record.trials if t.experiment_id == f"{record.name}@{version.version}")
    return next((end for end in ends if end is not None), version.at)


def _runs(text: str, length: int) -> Iterator[tuple[str, ...]]:
    """Every stretch of so many words that copying it is no accident."""
    words = [word.lower() for word in _WORD.findall(text)]
    return (tuple(words[i : i + length]) for i in range(len(words) - length + 1))
