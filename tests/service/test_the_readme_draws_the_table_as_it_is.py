from ledger.service.diagram import redraw
from tests.readme import README


def test_the_readme_draws_the_table_as_it_is() -> None:
    text = README.read_text(encoding="utf-8")

    assert redraw(text) == text, "run scripts/diagram"
