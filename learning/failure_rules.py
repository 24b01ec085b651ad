"""Why a case went wrong, where a rule can tell: an ordered table, the first rule that fires decides. Pure."""

from learning.causes import decided, measured, told
from learning.causes.seen import Cause, Rule, Seen
from learning.observed import Case, Observed

RULES: tuple[Rule, ...] = (
    decided.trick,
    decided.unknown_intent,
    decided.wrong_intent,
    decided.unsure_though_right,
    decided.unanswered_question,
    decided.fact_changed,
    decided.sure_enough,
    decided.nobody_decided,
    told.in_our_words,
    decided.outside_failed,
    decided.refused,
    decided.fact_corrected,
    decided.quantity_corrected,
    told.in_the_operators_words,
    decided.amount_corrected,
    decided.reply_edited,
    decided.page_edited,
    measured.mistaken_approval,
    measured.wrong_refund,
    measured.asked_back,
    measured.answer_not_enough,
    measured.needless_question,
    measured.answered_late,
    measured.ran_out,
    measured.supplier_late,
    measured.little_read,
)


def explain(case: Case, observed: Observed) -> Cause | None:
    """What the first rule that fires says; None where none does."""
    seen = Seen(case, observed)
    return next((cause for rule in RULES if (cause := rule(seen)) is not None), None)
