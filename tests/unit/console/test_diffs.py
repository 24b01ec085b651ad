"""Before and after, for people."""

from console.diffs import changes

LINE = {"sku": "MUG-01", "units": 40, "unit_cost": {"amount": "8.00", "currency": "EUR"}, "why": ""}


def test_a_list_is_shown_as_lines() -> None:
    """One for each thing in it, in words that can be compared; no raw JSON."""
    (change,) = changes({"lines": [LINE]}, {"lines": [{**LINE, "units": 50}, {**LINE, "sku": "BOWL-01"}]})
    assert change.before == "sku MUG-01, units 40, unit_cost 8.00 EUR"
    assert change.after.splitlines() == ["sku MUG-01, units 50, unit_cost 8.00 EUR", "sku BOWL-01, units 40, unit_cost 8.00 EUR"]
    assert "".join(piece.text for piece in change.pieces if piece.how != "gone") == change.after


def test_what_is_no_list_is_shown_as_before() -> None:
    """Texts as they are, numbers and nothing as JSON has them, nested fields by their path."""
    found = changes({"a": {"b": 1}, "c": None, "d": []}, {"a": {"b": 2}, "c": "text", "d": ["x", "y"]})
    assert [(c.field, c.before, c.after) for c in found] == [("a.b", "1", "2"), ("c", "null", "text"), ("d", "[]", "x\ny")]
