"""What Enter in a field does, as browsers do it: it presses the first submit button of the field's form, if that is not
disabled (WHATWG HTML, implicit submission)."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_TYPED = ("text", "search", "password", "email", "number")


@dataclass
class Form:
    """``fields`` are those in which Enter can be pressed; ``button`` is what the first submit button has, None without one."""

    id: str
    fields: list[str] = field(default_factory=list)
    button: dict[str, str | None] | None = None

    @property
    def enter(self) -> str:
        """What is sent as pressed: the button's value, ``nothing`` where Enter does nothing."""
        if self.button is None:
            return ""
        return "nothing" if "disabled" in self.button else self.button.get("value") or ""


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.within: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self.within = Form(has.get("id") or "")
            self.forms.append(self.within)
        elif self.within is None:
            return
        elif tag == "input" and has.get("type", "text") in _TYPED:
            self.within.fields.append(has.get("name") or "")
        elif tag == "button" and has.get("type", "submit") == "submit" and self.within.button is None:
            self.within.button = has

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.within = None


def entered_in(page: str, name: str) -> list[str]:
    """What Enter sends in each field of this name on the page."""
    parser = _Forms()
    parser.feed(page)
    return [form.enter for form in parser.forms if name in form.fields]
