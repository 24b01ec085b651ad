"""Pages without a language model: grounded templates. Every statement is a fact of the question in a sentence of its own.

The sentences between the facts are advice that claims nothing about the product. A page is as long as its facts allow;
the audit, not this module, says whether that is enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from domain.ids import digest
from domain.tasks import Answer, ContentDraft, Question
from models.local.content_words import GENERIC, ROLES, Role, Thing, plain, shown, thing_named

TITLE_LIMIT = 65
DESCRIPTION_LIMIT = 158
_NOT_ATTRIBUTES = frozenset({"title", "price", "availability", "expected_on"})
_QUESTIONS_ON_A_GUIDE = 3


def draft(question: Question[ContentDraft]) -> Answer[ContentDraft]:
    """A page from ``question.trusted``: kind, sku, revision, facts, description, asked, links.

    The confidence grows with the number of attributes but stays modest: a template is plainer than a written text.
    """
    page = _Page(question.trusted)
    body = page.faq() if page.kind == "faq" else page.guide()
    value = ContentDraft(title=page.title(), description=page.description(), body=body)
    confidence = 0.3 + 0.05 * min(5, len(page.attributes))
    return Answer(value=value, confidence=confidence, engine="local", model="content-templates", latency=timedelta(0))


@dataclass(frozen=True)
class _Page:
    trusted: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.trusted["kind"])

    @property
    def facts(self) -> Mapping[str, str]:
        facts: Mapping[str, str] = self.trusted["facts"]
        return facts

    @cached_property
    def attributes(self) -> dict[str, str]:
        own = f"product/{self.trusted['sku']}#"
        named = {ref.removeprefix(own): value for ref, value in self.facts.items() if ref.startswith(own)}
        return {name: plain(value) for name, value in named.items() if name not in _NOT_ATTRIBUTES}

    @cached_property
    def thing(self) -> Thing:
        return thing_named(self._product("title"))

    @property
    def revision(self) -> int:
        return int(self.trusted.get("revision", 1))

    def guide(self) -> str:
        """What it is, details, care, price and returns, then the questions."""
        it = self.thing
        parts = [
            f"# {it.title}",
            it.say(self._pick(_GUIDE_OPENINGS, "opening"), topics=_listed(self._topics())),
            f"## {self._pick(_WHAT, 'what')}",
            self._what_it_is(),
            "## Size and details",
            self._details(),
            *self._care(),
            "## Price and returns",
            self._price(),
            "## Questions and answers",
            *self._questions(self._worth_asking()[:_QUESTIONS_ON_A_GUIDE]),
            *self._contact(),
            *self._read_on(),
        ]
        return _joined(parts)

    def faq(self) -> str:
        """The questions that were asked, then those that follow, then ordering."""
        it = self.thing
        asked = [name for name in self._worth_asking() if name in self.trusted.get("asked", ())]
        rest = [name for name in self._worth_asking() if name not in asked]
        parts = [
            f"# {it.title}: questions and answers",
            it.say(self._pick(_FAQ_OPENINGS, "opening")),
            *(["## What customers ask", *self._questions(asked)] if asked else []),
            *([it.say("## More about {them}"), *self._questions(rest)] if rest else []),
            "## Before you order",
            it.say("### What {does} {it} cost?"),
            self._price(),
            *self._contact(),
            *self._read_on(),
        ]
        return _joined(parts)

    def title(self) -> str:
        """The page's title: the product first, then what the page tells, in another way at each revision."""
        name = shown(self._product("title"))
        endings = _FAQ_TITLES if self.kind == "faq" else (f": {_listed(self._topics()[:3])}", *_GUIDE_TITLES)
        turned = [*endings[(self.revision - 1) % len(endings) :], *endings]
        fitting = (f"{name}{ending}" for ending in turned if len(name) + len(ending) <= TITLE_LIMIT)
        return next(fitting, _cut(name, TITLE_LIMIT))

    def description(self) -> str:
        """What a search result shows: as many of the facts as fit."""
        text = f"{shown(self._product('title'))} from {self._shop('name')}"
        known = [
            self._product(name).rstrip(". ") for name in ("material", "capacity", "dimensions", "care") if name in self.attributes
        ]
        details = ", ".join([*known, self._product("price")])
        ending = " Your questions answered." if self.kind == "faq" else " What to know before you order."
        options = (
            f"{text}: {details}.{ending}",
            f"{text}: {details}.",
            f"{text}: {self._product('price')}.{ending}",
            f"{text}.{ending}",
        )
        return next((option for option in options if len(option) <= DESCRIPTION_LIMIT), _cut(text, DESCRIPTION_LIMIT))

    def _topics(self) -> list[str]:
        labels = [ROLES[name].label for name in ("dimensions", "material", "care", "capacity", "weight") if name in self.attributes]
        return labels[:4] or ["details"]

    def _what_it_is(self) -> str:
        told = [plain(str(self.trusted.get("description", "")), keep_end=True)]
        told += [self._told(name) for name in ("material", "origin", "colour", "color") if name in self.attributes]
        return " ".join(sentence for sentence in told if sentence)

    def _details(self) -> str:
        listed = [name for name in self.attributes if name not in {"material", "origin", "care"}]
        return "\n".join(f"- **{_sentence_case(name)}:** {self.attributes[name]}. {self._advice(name)}".rstrip() for name in listed)

    def _care(self) -> list[str]:
        if "care" not in self.attributes:
            return []
        return ["## Care", f"{self._told('care')} {self._advice('care')}"]

    def _price(self) -> str:
        it = self.thing
        told = [it.say("{The} {costs} {price} at {shop}.", price=self._product("price"), shop=plain(self._shop("name")))]
        if days := self.facts.get("policy/support#refund_window"):
            told.append(it.say("If {it} {is} not what you hoped for, you can send {them} back within {days} days.", days=days))
            told.append(it.say("Write to us first, so that we know {it} {is} on the way."))
        return " ".join(told)

    def _worth_asking(self) -> list[str]:
        """Attributes, those that customers asked for first, then those that people usually want to know."""
        asked = [name for name in self.trusted.get("asked", ()) if name in self.attributes]
        usual = [name for name in ROLES if name in self.attributes]
        return list(dict.fromkeys([*asked, *usual, *self.attributes]))

    def _questions(self, names: Sequence[str]) -> list[str]:
        blocks: list[str] = []
        for name in names:
            blocks.append(f"### {self.thing.say(_role(name).question, name=_spaced(name))}")
            advice = self._advice(name) if self.kind == "faq" else ""
            blocks.append(f"{self._told(name)} {advice}".rstrip())
        return blocks

    def _contact(self) -> list[str]:
        it = self.thing
        answer = it.say(self._pick(_CONTACTS, "contact"), email=self._shop("email"))
        return ["### Who can I ask before I order?", answer]

    def _read_on(self) -> list[str]:
        links: Sequence[Mapping[str, str]] = self.trusted.get("links", ())
        return ["## Read on", "\n".join(f"- [{plain(link['title'])}]({link['url']})" for link in links)] if links else []

    def _told(self, name: str) -> str:
        return self.thing.say(self._pick(_role(name).answers, name), name=_spaced(name), value=self.attributes[name])

    def _advice(self, name: str) -> str:
        advice = _role(name).advice
        return self.thing.say(self._pick(advice, f"advice {name}")) if advice else ""

    def _pick(self, variants: Sequence[str], place: str) -> str:
        """One of ``variants``: always the same for one product and place, different from product to product."""
        return variants[int(digest([self.trusted["sku"], place])[:8], 16) % len(variants)]

    def _product(self, name: str) -> str:
        return self.facts[f"product/{self.trusted['sku']}#{name}"]

    def _shop(self, name: str) -> str:
        return self.facts[f"shop/self#{name}"]


_GUIDE_OPENINGS = (
    (
        "This page gathers what we know about the {short}: {topics}. It is meant for the moment before you order, when a picture "
        "alone does not tell you enough."
    ),
    "Thinking about the {short}? Here you find {topics}, what {it} {costs_plain}, and how to reach us if a question is left open.",
    "A picture shows what {it} {looks} like. This page adds the rest, from {topics} to the price, so that you can decide in peace.",
)
_FAQ_OPENINGS = (
    (
        "Several customers have written to us with questions about the {short}. Here are our answers in one place, taken from "
        "our own product records."
    ),
    (
        "The same questions about the {short} keep reaching us, so we have written the answers down. Each comes from our own "
        "product records."
    ),
)
_WHAT = ("What you get", "The short version", "At first sight")
_CONTACTS = (
    "Write to {email} and say that it is about the {short}. If this page leaves something out, we would like to know and add it.",
    (
        "Send a mail to {email} with your question. A short one is fine. If the answer is useful to others, it will find its way "
        "onto this page."
    ),
)
_GUIDE_TITLES = (": what to know before you order", ": details, care and price", "")
_FAQ_TITLES = (": your questions answered", ": questions and answers", ": good to know", "")


def _role(name: str) -> Role:
    return ROLES.get(_spaced(name), GENERIC)


def _spaced(name: str) -> str:
    return plain(name.replace("_", " ")).lower()


def _sentence_case(name: str) -> str:
    spaced = _spaced(name)
    return spaced[:1].upper() + spaced[1:]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _cut(text: str, limit: int) -> str:
    """``text`` up to the last whole word within ``limit``."""
    return text if len(text) <= limit else text[: limit + 1].rpartition(" ")[0].rstrip(" ,;:-") or text[:limit]


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
