"""Links to one decision: sent to the operator, opened as a page to confirm, used once. Pure.

A token is 32 random bytes as text. Whoever holds it may decide one question, so only its SHA-256 is kept, and nothing
that could be read by others (log, history, error) has the token itself.
"""

import hashlib
from datetime import timedelta

from domain.actions import Action, Risk, SendReply, UnpublishContent
from domain.approvals import Approval, ApprovalStatus
from domain.ids import derived_id
from domain.model import Moment, Name, Value

LONGEST = timedelta(hours=24)
FORGOTTEN_AFTER = timedelta(days=7)  # so long after its expiry a link is still known, and said to be expired
PATH = "/link/"  # of the console; the token follows


class DecisionLink(Value):
    """A link as it is kept. It is for the approval that was shown under ``digest``, and no other."""

    token_hash: Name
    approval_id: Name
    digest: Name
    issued_at: Moment
    expires_at: Moment
    used_at: Moment | None = None


class OpenLink(Value):
    """A link that can be used. ``decision_id`` is the same for every use, so that using it twice decides once.

    ``needs_login`` says that money or worse hangs on an approval, or that the link's page cannot show all of what would be
    approved, so that the link alone does not approve.
    """

    approval_id: Name
    digest: Name
    decision_id: Name
    expires_at: Moment
    needs_login: bool


class DeadLink(Value):
    """A link that cannot be used, and why, in words for the operator."""

    why: str


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_link(approval: Approval, token: str, *, now: Moment) -> DecisionLink | None:
    """A link to ``approval``; None where it waits no more."""
    expires = min(approval.expires_at, now + LONGEST)
    if approval.status is not ApprovalStatus.PENDING or expires <= now:
        return None
    return DecisionLink(
        token_hash=hash_of(token),
        approval_id=approval.approval_id,
        digest=approval.proposal.digest,
        issued_at=now,
        expires_at=expires,
    )


def opened(link: DecisionLink | None, approval: Approval | None, *, now: Moment) -> OpenLink | DeadLink:
    """What following ``link`` leads to; ``approval`` is the one that it names."""
    if link is None or approval is None:
        return DeadLink(why="this link leads nowhere")
    if link.used_at is not None:
        return DeadLink(why="this link was used before; it counts once")
    if link.expires_at <= now:
        return DeadLink(why="this link has expired")
    if approval.status is not ApprovalStatus.PENDING:
        return DeadLink(why=f"the question is {approval.status} already")
    if approval.proposal.digest != link.digest:
        return DeadLink(why="what the link was made for has changed since")
    return OpenLink(
        approval_id=approval.approval_id,
        digest=link.digest,
        decision_id=str(derived_id("link", link.token_hash)),
        expires_at=link.expires_at,
        needs_login=approval.proposal.action.risk >= Risk.R2 or not _shown_whole(approval.proposal.action),
    )


def _shown_whole(action: Action) -> bool:
    """Whether the line about it, and the text of a letter, are all there is to see. One without text is still to be written."""
    match action:
        case SendReply():
            return not action.unwritten
        case UnpublishContent():
            return True
        case _:
            return False
