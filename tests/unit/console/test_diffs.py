"""Before and after, for people."""

from console.diffs import changes, told

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


def test_for_people_nothing_is_no_word_and_what_a_program_fills_in_is_apart() -> None:
    """Neither "null" nor "[]" is shown, and a field that stays empty not at all."""
    page = {"title": "Mugs", "body": "word " * 200, "picture": None, "json_ld": {"name": "Mugs"}}
    found = told({"piece": None, "refunds": []}, {"piece": page, "refunds": ["5 EUR"]})
    assert [(c.label, c.before) for c in found.said] == [("refunds", ""), ("title", ""), ("body", "")]
    assert [c.field for c in found.made] == ["piece.json_ld.name"]
    body = found.said[2]
    assert (body.long, body.gist, found.said[1].long) == (True, "200 words new", False)


def test_of_a_long_text_the_stretches_that_stay_are_shortened() -> None:
    """What changes stands whole between their edges."""
    (change,) = told({"body": "a " * 500 + "old"}, {"body": "a " * 500 + "new"}).said
    assert [(p.how, p.text) for p in change.near[1:]] == [("gone", "old"), ("new", "new")]
    assert len(change.near[0].text) < 200
