"""The page that was on the demo's site before Steward came, and the figures an analytics tool would export for it."""

from datetime import UTC, date, datetime, time, timedelta

from demo.data import load
from domain.actions import PublishContent
from domain.entities import ContentPiece
from domain.model import Moment

_FIGURES = ("impressions", "clicks", "seconds_on_page")


def earlier_pages(today: date) -> list[tuple[PublishContent, Moment]]:
    """Each page as its publication, and when that was."""
    found = []
    for row in load("pages"):
        at = datetime.combine(today - timedelta(days=row["published"]), time(10), UTC)
        kept = {k: v for k, v in row.items() if k not in {"published", *_FIGURES}}
        found.append((PublishContent(piece=ContentPiece.model_validate({**kept, "published_at": at})), at))
    return found


def analytics_csv(today: date) -> str:
    """Daily figures up to yesterday, with the columns a search console's export has."""
    lines = ["page,date,impressions,clicks,seconds_on_page"]
    for row in load("pages"):
        days = zip(*(row[name] for name in _FIGURES), strict=True)
        for age, figures in zip(range(len(row["clicks"]), 0, -1), days, strict=True):
            lines.append(",".join([f"/{row['slug']}", str(today - timedelta(days=age)), *map(str, figures)]))
    return "\n".join(lines) + "\n"
