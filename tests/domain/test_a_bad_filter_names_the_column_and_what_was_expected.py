import pytest

from ledger.domain.filters import parse_filter
from ledger.errors import MalformedFilter

BAD = [
    ("tyep:A", 1, "begins with one of type:, outcome:"),
    ("type:A hello", 8, "begins with one of"),
    ("-", 2, "begins with one of"),
    ("type:A --job:a", 9, "begins with one of"),
    ("type:", 6, "a type of 1 to 64 characters"),
    ("type:A,,B", 8, "a type of 1 to 64 characters"),
    ("type:" + "x" * 65, 6, "a type of 1 to 64 characters"),
    ('type:"A', 6, "a quote that is closed"),
    ('type:A"B"', 7, "quotes around the whole value"),
    ('type:"A"B', 9, "a space or a comma"),
    (r'type:"A\n"', 9, "a quote or a backslash"),
    ("type:\0", 6, "without NUL"),
    ("type:a,\ud800", 8, "halves of surrogate pairs"),
    ("outcome:faild", 9, "one of succeeded, failed"),
    ("event:Planned", 7, "one of planned, refused"),
    ("is:busy", 4, "one of on_hold, expired"),
    ("entity:disk", 8, "TYPE/ID"),
    ("entity:disk/", 8, "TYPE/ID"),
    ("before:yesterday", 8, "a time like"),
    ("before:2026-13-01", 8, "a time like"),
    ("before:1969-12-31", 8, "a time like"),
    ("before:-1h,-2h", 11, "no more than one time"),
    ("after:-9999999999d", 7, "a time like"),
    ("after:-999999999w", 7, "a time like"),
    ("occurred:2026-11-01", 10, "a period like"),
    ("occurred:..", 10, "a period like"),
    ("position:9..1", 10, "low before high"),
    ("position:-1", 10, "positions like"),
    ("position:" + "9" * 19, 10, "below 2^63"),
    ("position:" + "9" * 5_000, 10, "below 2^63"),
    ("position:1...2", 10, "positions like"),
    ("text:disk", 1, "narrows the search"),
    ("event:planned before:-1h text:disk", 26, "narrows the search"),
    ("position:..9 -type:A -text:disk", 22, "narrows the search"),
    ("type:A" * 20_000, 8_193, "the end of it"),
    ("type:A " * 51, 351, "the end, after 50 terms"),
    ("job:" + ",".join("a" * 101), 204, "no more than 100 values"),
]


@pytest.mark.parametrize(("said", "column", "expected"), BAD)
def test_a_bad_filter_names_the_column_and_what_was_expected(said: str, column: int, expected: str) -> None:
    """One sentence, however long or hostile the text."""
    with pytest.raises(MalformedFilter) as raised:
        parse_filter(said)
    assert raised.value.facts["column"] == column
    assert expected in raised.value.facts["expected"]
    assert str(raised.value).startswith(f"At column {column:,} of the filter there must be ")
    assert len(str(raised.value)) < 500
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("narrower", ["type:A", "after:-1h", "position:5..", "occurred:-1h..", "is:on_hold", "under:a"])
def test_a_text_is_searched_beside_a_narrower_term(narrower: str) -> None:
    """In whichever order they stand."""
    for said in (f"text:disk {narrower}", f"{narrower} text:disk"):
        assert str(parse_filter(said)) == said
