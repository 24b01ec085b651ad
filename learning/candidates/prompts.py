"""Prompt edits: what the operator keeps changing in texts that a model worded becomes an addition to its instructions.

A model proposes the edit from one half of the cases; the other half, which it never sees, is for the replay. Which half a
case is in never changes, so that no later edit is made from what an earlier one was judged by.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domain.approvals import Approval
from domain.choice import unit_of
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.policies import PromptPolicy
from domain.tasks import CONTENT, REPLY, PromptEdit
from learning.candidates.drafting import drafted
from learning.failures import SURE
from learning.observed import Observed
from learning.picture import Picture
from learning.worded import Worded, letter_of, page_of

LEAST_SEEN = 3
LEAST_HELD_BACK = 5  # changed texts; with fewer, no replay passes the offline gate
MOST_SEEN = 6
MOST_REPLAYED = 12
TASKS = (REPLY.prompt, CONTENT.prompt)
"""Those whose answers a person reviews, in the order in which they are looked at."""

_GROWTH = 3  # a look is due when so many more texts had to be changed than at the last one
_HALF = 0.5
_READ: dict[str, Callable[[Approval, Observed], Worded | None]] = {REPLY.prompt: letter_of, CONTENT.prompt: page_of}
_CALLED = {REPLY.prompt: "letters", CONTENT.prompt: "pages"}
_METRICS = {REPLY.prompt: ("corrected", "reopened"), CONTENT.prompt: ("corrected", "seconds-on-page")}


@dataclass(frozen=True, kw_only=True)
class Cases:
    """What a model worded for one task. ``seen`` may be shown to the model that proposes, ``held_back`` is for the replay.

    ``failed``: the runs whose wording had to be changed. All newest first.
    """

    task: str
    seen: tuple[Worded, ...] = ()
    held_back: tuple[Worded, ...] = ()
    failed: tuple[str, ...] = ()
    reviewed: int = 0
    due: bool = False  # enough in both halves, and enough new since the last look


def cases_of(picture: Picture, task: str) -> Cases:
    """What was worded by the version in force; what an earlier one did may be mended already."""
    reviewed = sorted(_reviewed(picture, task), key=lambda x: (x.at, x.run_id), reverse=True)
    runs = {f.run_id for f in picture.failures if f.cause is RootCause.PROMPT and f.confidence >= SURE}
    failed = [x for x in reviewed if x.run_id in runs and x.sent != x.shown]
    seen = tuple(x for x in failed if not _is_held_back(x))[:MOST_SEEN]
    held_back = tuple(x for x in reviewed if x.sent and _is_held_back(x))[:MOST_REPLAYED]
    enough = len(seen) >= LEAST_SEEN and sum(x in failed for x in held_back) >= LEAST_HELD_BACK
    before = sum(not picture.observed.is_new(x.at) for x in failed)
    return Cases(
        task=task,
        seen=seen,
        held_back=held_back,
        failed=tuple(x.run_id for x in failed),
        reviewed=len(reviewed),
        due=enough and len(failed) // _GROWTH > before // _GROWTH,
    )


def prompt_candidate(edit: PromptEdit, incumbent: InForce[PromptPolicy], cases: Cases) -> Candidate | None:
    """The edit as a candidate; None where there is none. Its own reasons are a model's words, and are not kept."""
    addition = " ".join(edit.instruction.split())
    if not addition or addition == incumbent.document.addition(cases.task):
        return None
    changed = f"of {cases.reviewed} {_CALLED[cases.task]} that a model worded you changed {len(cases.failed)}"
    return drafted(
        incumbent,
        incumbent.document.model_copy(update={cases.task: addition}),
        why=f"{changed}: its instructions get an addition",
        cause=RootCause.PROMPT,
        metrics=_METRICS[cases.task],
        margin=0.05,
        scope=(cases.task,),
        expected=round(len(cases.failed) / cases.reviewed, 3),
        examples=cases.failed,
    )


def _reviewed(picture: Picture, task: str) -> Iterator[Worded]:
    version, read = picture.record("prompts").active, _READ[task]
    for approval in picture.observed.approvals:
        if approval.proposal.policy_versions.get("prompts", 0) == version and (found := read(approval, picture.observed)):
            yield found


def _is_held_back(worded: Worded) -> bool:
    return unit_of("prompt-edit", worded.key) < _HALF
