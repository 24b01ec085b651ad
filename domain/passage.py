"""Texts that can be searched."""

from domain.model import Moment, Name, Text, Value


class Passage(Value):
    """A searchable text. ``entities`` are the streams it is about; ``at`` drives decay."""

    passage_id: Name
    text: Text
    entities: tuple[str, ...] = ()
    kind: str = "note"
    at: Moment
