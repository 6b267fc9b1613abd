"""The state diagram of the README, drawn from the transition table."""

from collections import defaultdict

from ledger.domain.states import OUTCOMES, TRANSITIONS, Phase

BEGIN, END = "<!-- diagram: begin -->", "<!-- diagram: end -->"


def draw() -> str:
    """The table as a Mermaid state diagram: every step that changes the phase, those that close a job as one."""
    events: dict[tuple[Phase, Phase], list[str]] = defaultdict(list)
    for event, steps in TRANSITIONS.items():
        for before, after in steps.items():
            if before is not after and before is not Phase.CLOSED:
                events[before, after].append(event)
    lines = ["stateDiagram-v2", "    direction LR", "    [*] --> planned: planned"]
    for (before, after), names in sorted(events.items(), key=lambda step: _order(*step[0])):
        lines.append(f"    {before} --> {after}: {_label(names)}")
    again = [event for event, steps in TRANSITIONS.items() if steps.get(Phase.CLOSED) is Phase.PLANNED]
    lines += [f"    closed --> planned: {event} again, where it was refused" for event in again]
    lines.append("    closed --> [*]")
    return "\n".join(["```mermaid", *lines, "```"])


def _order(before: Phase, after: Phase) -> tuple[int, int]:
    phases = list(Phase)
    return phases.index(before), phases.index(after)


def _label(names: list[str]) -> str:
    closing = [name for name in names if name in OUTCOMES]
    return ", ".join([name for name in names if name not in closing] + (["an outcome"] if closing else []))


def redraw(text: str) -> str:
    """The text with the diagram of today's table between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{draw()}\n{END}{after}"
