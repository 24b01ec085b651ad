"""The canary of recall: texts that must be found, asked for by their own words and as they were found before."""

from collections.abc import Iterable, Mapping, Sequence

from agents.skills.key_terms import key_terms, words_of
from domain.knowledge import Recalled
from domain.model import Value
from domain.passage import Passage
from domain.ports import Passages, Recall
from domain.retention import CanaryPair

_AMONG = 5  # the first so many answers
_SIGNALS = frozenset({"text", "vector"})
_KEPT = 100  # pairs that go on being asked for


class Sighting(Value):
    """Which pairs were found and which were not."""

    found: tuple[CanaryPair, ...] = ()
    lost: tuple[CanaryPair, ...] = ()

    @property
    def asked(self) -> int:
        return len(self.found) + len(self.lost)

    def under(self, floor: float) -> bool:
        """Whether less than the share ``floor`` was found."""
        return len(self.found) < floor * self.asked


class Canary:
    """Asks recall what it must know, and says what it did not find. Writes nothing."""

    def __init__(self, *, recall: Recall, passages: Passages) -> None:
        self._recall = recall
        self._passages = passages

    async def look(self, recorded: Sequence[CanaryPair], *, sample: int) -> Sighting:
        """Ask for ``sample`` passages by their key terms, and for the recorded pairs whose text is as it was."""
        chosen = await self._passages.sample(sample)
        known = {p.passage_id: p for p in await self._passages.get([pair.passage_id for pair in recorded])}
        asked = (CanaryPair(query=key_terms(p.text), passage_id=p.passage_id) for p in chosen)
        pairs = [pair for pair in (*_still_fitting(recorded, known), *asked) if pair.query]
        known |= {passage.passage_id: passage for passage in chosen}
        found, lost = list[CanaryPair](), list[CanaryPair]()
        for pair in dict.fromkeys(pairs):
            (found if await self._finds(pair, known[pair.passage_id]) else lost).append(pair)
        return Sighting(found=tuple(found), lost=tuple(lost))

    async def _finds(self, pair: CanaryPair, passage: Passage) -> bool:
        """Asked as of the passage's own time: how far recall lets old texts fade is not what is tested here."""
        answers = await self._recall.search(pair.query, limit=_AMONG, now=passage.at)
        return any(_is_it(answer, passage, pair.query) for answer in answers)


def remembered(recorded: Sequence[CanaryPair], sighting: Sighting) -> tuple[CanaryPair, ...]:
    """The pairs to ask for from now on: those recorded before, then what was found this time, as long as there is room."""
    return tuple(dict.fromkeys((*recorded, *sighting.found)))[:_KEPT]


def _is_it(answer: Recalled, passage: Passage, query: str) -> bool:
    """Found by its words and by its meaning; another text that the query fits as well is as good an answer."""
    fits = answer.passage.passage_id == passage.passage_id or set(query.split()) <= set(words_of(answer.passage.text))
    return fits and answer.ranks.keys() >= _SIGNALS


def _still_fitting(pairs: Iterable[CanaryPair], known: Mapping[str, Passage]) -> list[CanaryPair]:
    return [p for p in pairs if p.passage_id in known and set(p.query.split()) <= set(words_of(known[p.passage_id].text))]
