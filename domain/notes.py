"""Notes: what the operator tells Steward that no record says."""

from collections.abc import Sequence

from domain.errors import InvalidInput
from domain.events import NoteTaken
from domain.ids import derived_id
from domain.model import Moment
from domain.passage import Passage

_LONGEST = 10_000  # characters


def note_taken(text: str, *, about: Sequence[str] = (), at: Moment) -> NoteTaken:
    """The same words again are the same note. ``about`` are streams. Raises InvalidInput."""
    words = text.strip()
    if not 0 < len(words) <= _LONGEST:
        raise InvalidInput("this is no note", hint=f"a note has 1 to {_LONGEST:,} characters")
    return NoteTaken(note=Passage(passage_id=f"note-{derived_id(words)}", text=words, entities=tuple(about), at=at))
