"""What strangers wrote, on a page."""

from console.rendering import coded, environment

TURNED = "order \u202e0001\u2066"


def test_what_turns_a_text_round_is_shown_by_its_name() -> None:
    """In texts, attributes and what is markup already; the value of a field goes back as it came."""
    template = environment().from_string('<p title="{{ t }}">{{ t }}</p>{{ t|coded }}<input value="{{ t|exactly }}">')
    marked = "order [U+202E]0001[U+2066]"
    assert template.render(t=TURNED) == f'<p title="{marked}">{marked}</p>{marked}<input value="{TURNED}">'


def test_what_stands_between_backticks_is_code_and_everything_is_escaped() -> None:
    """As errors and alerts name commands."""
    assert coded("see `./steward <inbox>` & wait") == "see <code>./steward &lt;inbox&gt;</code> &amp; wait"
