"""What the README gives to be typed, so that tests can do it word for word."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def blocks(language: str, section: str = "") -> list[str]:
    """The blocks in a language, of the section with this heading, or of all of them."""
    text = README.read_text(encoding="utf-8")
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
