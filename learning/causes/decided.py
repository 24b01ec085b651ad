"""Root causes of what a person changed, refused or had to write."""

from agents.skills.triage import asked_attributes
from domain.actions import PlacePurchaseOrder, PublishContent, RefundOrder
from domain.entities import Product
from domain.failures import RootCause
from learning.causes.seen import Cause, Seen, generally, playbook_ref
from learning.observed import Kind, Observed
from learning.wording import filled_from, text_of

_OF_TICKETS = frozenset({"corrected", "unaided", "reopened", "refund-wrong"})
_UNANSWERED = ("the catalogue may not answer the question", "nothing is known for 'answer'")
_MUCH_LONGER = 10  # characters that a corrected value may have more than twice the stated one


def trick(seen: Seen) -> Cause | None:
    """Somebody tried to steer the machine, and the operator saw it too."""
    found = seen.case.approval.proposal.verdict.findings if seen.case.approval else ()
    suspected = seen.case.kind is Kind.REJECTED and any(f.code == "injection-suspected" for f in found)
    return Cause(RootCause.EXTERNAL, "somebody tried it on") if suspected else None


def unknown_intent(seen: Seen) -> Cause | None:
    """The operator calls it something that nothing is made for."""
    right = seen.case.right
    if not right or right in seen.observed.support.playbooks:
        return None
    return Cause(RootCause.POLICY_GAP, f"no playbook: {right}", playbook_ref(right))


def wrong_intent(seen: Seen) -> Cause | None:
    guess, right = seen.case.guess, seen.case.right
    wrong = right and guess and right != guess and seen.case.metric in _OF_TICKETS
    return Cause(RootCause.MODEL, f"wrong intent: {guess}", "policy/triage") if wrong else None


def unsure_though_right(seen: Seen) -> Cause | None:
    """It was not sure enough of an intent that a person confirmed: the threshold is too high."""
    guess = seen.case.guess
    if not seen.case.told.startswith("the intent is not clear (") or not guess or seen.case.right != guess:
        return None
    return Cause(RootCause.POLICY_WRONG, f"unsure though right: {guess}", "policy/routing#local_confidence")


def unanswered_question(seen: Seen) -> Cause | None:
    """The catalogue does not hold what the customer asks for."""
    if not any(words in seen.case.told for words in _UNANSWERED):
        return None
    if seen.product is None:
        return Cause(RootCause.DATA_MISSING, "unknown product", "catalogue#products")
    attribute = _missing_attribute(seen.customers_text, seen.product, seen.observed)
    mode = f"missing fact: {attribute}" if attribute else "missing fact: what was asked"
    return Cause(RootCause.DATA_MISSING, mode, f"product/{seen.product.sku}#{attribute or 'attributes'}")


def fact_changed(seen: Seen) -> Cause | None:
    """What was true when it was planned was not true any more when it should leave."""
    found = seen.case.approval.proposal.verdict.findings if seen.case.approval else ()
    ref = next((f.text for f in found if f.code == "fact-changed"), "").partition(" is ")[0]
    return Cause(RootCause.DATA_STALE, f"stale fact: {ref.partition('#')[2] or ref}", generally(ref)) if ref else None


def sure_enough(seen: Seen) -> Cause | None:
    """It was asked for want of confidence only, and the operator changed nothing."""
    if seen.case.kind is not Kind.ASKED or seen.action is None or not seen.case.told.startswith("confidence "):
        return None
    kind = seen.action.kind
    return Cause(RootCause.POLICY_WRONG, f"asked though right: {kind}", f"policy/gate#minimum_confidence.{kind}")


def nobody_decided(seen: Seen) -> Cause | None:
    return Cause(RootCause.HUMAN, "nobody decided in time") if seen.case.kind is Kind.EXPIRED else None


def outside_failed(seen: Seen) -> Cause | None:
    """An outside system refused for good."""
    if seen.case.kind is not Kind.FAILED:
        return None
    return Cause(RootCause.TOOL, f"outside system failed: {_verb_of(seen.case.told)}")


def refused(seen: Seen) -> Cause | None:
    """Our own checks stopped a plan: it was made from something that did not hold."""
    if seen.case.kind is not Kind.REFUSED:
        return None
    return Cause(RootCause.DATA_WRONG, f"refused by our checks: {_verb_of(seen.case.told)}")


def fact_corrected(seen: Seen) -> Cause | None:
    """The operator put another value where a fact stood, and left the words around it."""
    if seen.letters is None:
        return None
    before, after = seen.letters
    old, new = text_of(before), text_of(after)
    for ref, value in before.facts.items():
        if not value or value not in old or value in new:
            continue
        given = filled_from(old.replace(value, "{value}", 1), new)
        if given and len(given.values["value"]) <= 2 * len(value) + _MUCH_LONGER:
            return Cause(RootCause.DATA_WRONG, f"wrong fact: {ref.partition('#')[2]}", generally(ref))
    return None


def quantity_corrected(seen: Seen) -> Cause | None:
    """The operator ordered more or less than was proposed."""
    before, after = seen.action, seen.edited
    if not isinstance(before, PlacePurchaseOrder) or not isinstance(after, PlacePurchaseOrder):
        return None
    proposed, wanted = (sum(line.units for line in a.purchase_order.lines) for a in (before, after))
    if wanted > proposed:
        return Cause(RootCause.POLICY_WRONG, "ordered too little", "policy/stock#service_level")
    return Cause(RootCause.POLICY_WRONG, "ordered too much", "policy/stock#lot_factor") if wanted < proposed else None


def amount_corrected(seen: Seen) -> Cause | None:
    if not isinstance(seen.edited, RefundOrder):
        return None
    return Cause(RootCause.POLICY_WRONG, f"refund amount corrected: {seen.topic}", playbook_ref(seen.topic))


def reply_edited(seen: Seen) -> Cause | None:
    """A model's wording is the prompt's doing, a template's wording the playbook's."""
    if seen.letters is None:
        return None
    guess, situation = seen.case.guess, seen.situation
    playbook = seen.observed.support.playbooks.get(guess)
    template = playbook.reply(situation) if playbook else ""
    if filled_from(template, text_of(seen.letters[0])) is None:
        return Cause(RootCause.PROMPT, f"wording of the model edited: {seen.topic}", "prompt/reply")
    return Cause(RootCause.POLICY_WRONG, f"reply edited: {guess}/{situation}", playbook_ref(guess, situation))


def page_edited(seen: Seen) -> Cause | None:
    return Cause(RootCause.PROMPT, "page edited", "prompt/content") if isinstance(seen.edited, PublishContent) else None


def _verb_of(told: str) -> str:
    """The verb of an action's summary: its first word, and the second where that is no name or number."""
    return " ".join(word for word in told.split()[:2] if word.isalpha()) or "an action"


def _missing_attribute(text: str, product: Product, observed: Observed) -> str:
    """The attribute that other products have, this one lacks, and ``text`` asks for."""
    lacking = {key: "" for p in observed.products for key in p.attributes if key not in product.attributes}
    asked = asked_attributes(text, product.model_copy(update={"attributes": dict(sorted(lacking.items()))}))
    return asked[0] if asked else ""
