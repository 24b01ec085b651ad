"""The words of the content templates: how to speak of a thing, and what to say about each kind of attribute."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_AFTER_HEAD = re.compile(r"\s*,.*|\s+(?:with|in|for|of|from|without)\s.*", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
_SINGULAR_ENDINGS = ("ss", "us", "is")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|])")
_AGREEING = {
    "is": ("is", "are"),
    "does": ("does", "do"),
    "costs": ("costs", "cost"),
    "costs_plain": ("costs", "cost"),
    "measures": ("measures", "measure"),
    "weighs": ("weighs", "weigh"),
    "holds": ("holds", "hold"),
    "comes": ("comes", "come"),
    "looks": ("looks", "look"),
    "it": ("it", "they"),
    "It": ("It", "They"),
    "them": ("it", "them"),
}


@dataclass(frozen=True)
class Thing:
    """What a page is about, as Markdown. ``short`` is its name up to the first comma or preposition, "linen napkins"."""

    title: str
    short: str
    plural: bool

    def say(self, template: str, **values: str) -> str:
        """``template`` with words that agree in number, and ``values`` filled in."""
        words = {name: forms[self.plural] for name, forms in _AGREEING.items()}
        return template.format(**{"short": self.short, "The": f"The {self.short}", **words, **values})


def shown(title: str) -> str:
    """A title on one line, and not in capitals throughout."""
    line = " ".join(title.split()).rstrip(". ")
    return line.capitalize() if line.isupper() else line


def thing_named(title: str) -> Thing:
    name = plain(shown(title))
    short = _in_a_sentence(_AFTER_HEAD.sub("", _ARTICLE.sub("", name)) or name)
    last = short.split()[-1].lower()
    return Thing(title=name, short=short, plural=last.endswith("s") and not last.endswith(_SINGULAR_ENDINGS))


def _in_a_sentence(name: str) -> str:
    """ "Linen napkins" becomes "linen napkins"; "Oak Chopping Board" and "USB cable" stay as they are."""
    first, _, rest = name.partition(" ")
    return name if not first.istitle() or rest != rest.lower() else f"{first.lower()} {rest}".rstrip()


def plain(text: str, *, keep_end: bool = False) -> str:
    """``text`` on one line, with nothing in it that Markdown or a site generator would take for markup."""
    line = _MARKDOWN.sub(r"\\\1", " ".join(text.split())).replace("{", "&#123;")
    return line if keep_end else line.rstrip(". ")


@dataclass(frozen=True)
class Role:
    """What to say about a kind of attribute. ``advice`` claims nothing about the product."""

    label: str
    question: str
    answers: Sequence[str]
    advice: Sequence[str] = ()


_ROOM = (
    "Measure the place you have in mind before you order, then there is no surprise when the parcel comes.",
    "A piece of paper cut to that size shows at once whether there is room.",
    "Hold a ruler to the one you use now, and you can picture the difference.",
)
_SIGHT = (
    "Screens show colours a little differently, so go by the name as well as by the picture.",
    "Colours change between daylight and lamplight, so think of the room where you will use {them}.",
)
ROLES: dict[str, Role] = {
    "dimensions": Role("size", "How big {is} the {short}?", ("{It} {measures} {value}.", "The dimensions are {value}."), _ROOM),
    "size": Role("size", "Which size {is} the {short}?", ("The size is {value}.",), _ROOM),
    "material": Role(
        "material",
        "What {is} {it} made of?",
        ("{It} {is} made of {value}.", "The material is {value}."),
        ("That helps if you want to match {them} with what you already own.", "Bear it in mind if you are choosing a present."),
    ),
    "care": Role(
        "care",
        "How do I look after {them}?",
        ("The care note is short: {value}.", "What we note about care: {value}.", "In a few words: {value}."),
        (
            "If you are unsure about something the note does not mention, ask us before you try it.",
            "When in doubt, start gently, and ask us if the note leaves your case open.",
        ),
    ),
    "capacity": Role(
        "capacity",
        "How much {does} {it} hold?",
        ("{It} {holds} {value}.", "The capacity is {value}."),
        (
            "Fill a measuring jug to that mark, and you can picture it.",
            "Compare that with the one you use now, and you know whether it suits you.",
        ),
    ),
    "weight": Role(
        "weight",
        "How heavy {is} {it}?",
        ("{It} {weighs} {value}.", "The weight is {value}."),
        (
            "That is worth a thought if you want to send {them} on as a present.",
            "Keep that in mind if {it} will live on a high shelf.",
            "Pick up something of the same weight in your kitchen to get a feeling for it.",
        ),
    ),
    "colour": Role("colour", "Which colour {is} {it}?", ("The colour is {value}.", "We call the colour {value}."), _SIGHT),
    "color": Role("colour", "Which color {is} {it}?", ("The color is {value}.",), _SIGHT),
    "burn time": Role(
        "burn time",
        "How long {does} {it} burn?",
        ("The burn time is {value}.",),
        ("Divide that by the hours of a usual evening to see how long a purchase lasts you.",),
    ),
    "origin": Role("origin", "Where {does} {it} come from?", ("{It} {comes} from {value}.", "The country of origin is {value}.")),
}
"""In the order in which people usually want to know."""

GENERIC = Role("details", "What about the {name}?", ("The {name}: {value}.", "For the {name} we note: {value}."))
