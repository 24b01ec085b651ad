"""What ``./steward learn`` says: a page in plain words for the owner of a shop. Pure."""

from collections.abc import Iterable, Sequence

from domain.failures import RootCause
from domain.learning import FixItem, LearningReport, MetricSummary
from domain.metrics import METRICS

_WIDTH = 4  # ranks are right-aligned
_SHOWN = 10
_CALLED: dict[RootCause, str] = {
    RootCause.DATA_MISSING: "a fact is missing",
    RootCause.DATA_STALE: "a fact is out of date",
    RootCause.DATA_WRONG: "a fact is wrong",
    RootCause.POLICY_GAP: "no rule covers it",
    RootCause.POLICY_WRONG: "a rule does not fit",
    RootCause.TOOL: "another system failed",
    RootCause.PROMPT: "a model was told badly",
    RootCause.MODEL: "it was misunderstood",
    RootCause.EXTERNAL: "others caused it",
    RootCause.HUMAN: "it waited for you, or you erred",
}
_MEASURED: dict[str, str] = {
    "corrected": "you changed or rejected a proposal",
    "reopened": "a customer had to write again",
    "unaided": "handled without your help",
    "first-response-minutes": "minutes to the first answer",
    "refund-wrong": "a refund was wrong",
    "fill-rate": "share of demand that was in stock",
    "stock-out-days": "days without stock",
    "supplier-lateness": "days a delivery was late",
    "ctr": "share of people shown a page who clicked it",
    "seconds-on-page": "seconds a page was read",
}


def text_of(report: LearningReport) -> str:
    """The page. Sections without content are left out."""
    since = f" since {report.since:%d %B %Y}" if report.since else ""
    sections = [
        _section(f"What happened{since}", [_measured(m) for m in report.outcomes]),
        _section("What to mend, in this order", _ranked(report.queue)),
        _section("Questions to you (each is asked once)", report.questions),
        _section("Proposed changes", report.proposed),
        _section("Being tried on a part of the cases", report.trying),
        _section("Trials that ended", report.ended),
        _section("What may be done without asking you", report.autonomy),
        _section("Not proposed, and why", report.refused),
    ]
    body = "\n\n".join(section for section in sections if section) or "There is nothing to learn from yet."
    return f"Learning, {report.day}\n\n{body}\n"


def _section(title: str, lines: Iterable[str]) -> str:
    told = [line if line.startswith(" ") else f"  - {line}" for line in lines]
    return "\n".join((title, *told)) if told else ""


def _measured(summary: MetricSummary) -> str:
    metric = METRICS.get(summary.metric)
    called = _MEASURED.get(summary.metric, summary.metric.replace("-", " "))
    times = f"{summary.count} {'case' if summary.count == 1 else 'cases'}"
    match metric.measured_in if metric else "":
        case "yes or no" | "share":
            value = f"{summary.mean:.0%}" if summary.mean in (0, 1) or summary.mean >= 0.1 else f"{summary.mean:.1%}"
        case _:
            value = f"{summary.mean:,.1f}"
    bad = f", {summary.bad} of them bad" if summary.bad else ""
    return f"{called}: {value} ({times}{bad})"


def _ranked(queue: Sequence[FixItem]) -> list[str]:
    lines = []
    for place, item in enumerate(queue[:_SHOWN], start=1):
        lines += [f"{place:>{_WIDTH}}. {item.mode}: {_CALLED[item.cause]}", f"{'':>{_WIDTH}}  {item.why}"]
    more = len(queue) - _SHOWN
    return [*lines, f"{'':>{_WIDTH}}  and {more} more"] if more > 0 else lines
