"""Cost against history as an SVG: the p50 of each question at each size, legible on light and on dark ground."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.measure import Spread

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 56, 56
LABEL_STEP = 18
DASHES = ("", "7 4", "2 4", "10 4 2 4", "4 2")
STYLE = """
svg { font: 13px system-ui, sans-serif; --ground: #ffffff; --ink: #1f2328; --faint: #d0d7de;
  --c0: #0969da; --c1: #bc4c00; --c2: #1a7f37; --c3: #8250df; --c4: #bf3989; }
@media (prefers-color-scheme: dark) { svg { --ground: #0d1117; --ink: #e6edf3; --faint: #30363d;
  --c0: #58a6ff; --c1: #f0883e; --c2: #3fb950; --c3: #bc8cff; --c4: #f778ba; } }
.ground { fill: var(--ground) } text { fill: var(--ink) } .title { font-size: 15px; font-weight: 600 }
.grid { stroke: var(--faint); stroke-width: 1 } .axis { stroke: var(--ink); stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
"""


@dataclass(frozen=True)
class Line:
    """One question: its name, and what it cost in milliseconds at each number of jobs."""

    name: str
    points: Mapping[int, Spread]


@dataclass(frozen=True)
class Scale:
    """Where a number of jobs and a cost lie on the sheet."""

    sizes: tuple[int, ...]
    top_ms: float

    def x(self, jobs: float) -> float:
        """Logarithmic, from the least number of jobs to the greatest."""
        first, last = math.log10(min(self.sizes)), math.log10(max(self.sizes))
        return LEFT + (math.log10(jobs) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(self, cost_ms: float) -> float:
        """Linear, from nothing."""
        return HEIGHT - BOTTOM - cost_ms / self.top_ms * (HEIGHT - TOP - BOTTOM)


def draw(title: str, lines: Sequence[Line]) -> str:
    """The sheet."""
    most = max(spread.most for line in lines for spread in line.points.values())
    step = tick_step(most)
    scale = Scale(tuple(lines[0].points), math.ceil(most / step) * step)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="26">{title}</text>',
        *_grid(scale, step),
    ]
    heights = _apart([scale.y(line.points[scale.sizes[-1]].median) for line in lines])
    for number, (line, height) in enumerate(zip(lines, heights, strict=True)):
        parts += _line(scale, line, number, height)
    return "\n".join([*parts, "</svg>\n"])


def tick_step(most: float) -> float:
    """A round distance of ticks, of which four to eight reach this value."""
    size = 10.0 ** math.floor(math.log10(most / 4))
    return next(size * factor for factor in (1, 2, 2.5, 5, 10) if most / (size * factor) <= 6)


def _grid(scale: Scale, step: float) -> list[str]:
    left, right, bottom = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for number in range(round(scale.top_ms / step) + 1):
        y = scale.y(number * step)
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{right}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{number * step:g}</text>')
    for jobs in scale.sizes:
        x = scale.x(jobs)
        parts.append(f'<path class="axis" d="M{x:.1f} {bottom}v5"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{jobs:,}</text>')
    middle_x, middle_y = (left + right) / 2, (TOP + bottom) / 2
    return [
        *parts,
        f'<path class="axis" d="M{left} {bottom}H{right}"/>',
        f'<text x="{middle_x}" y="{bottom + 42}" text-anchor="middle">jobs on record (logarithmic)</text>',
        f'<text transform="translate(18 {middle_y}) rotate(-90)" text-anchor="middle">p50, milliseconds</text>',
    ]


def _line(scale: Scale, line: Line, number: int, height: float) -> list[str]:
    places = [(scale.x(jobs), scale.y(spread.median)) for jobs, spread in line.points.items()]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    colour, last_x, last_y = f"var(--c{number})", *places[-1]
    whiskers = "".join(
        f"M{scale.x(jobs):.1f} {scale.y(spread.least):.1f}V{scale.y(spread.most):.1f}"
        for jobs, spread in line.points.items()
    )
    return [
        f'<path d="{whiskers}" style="stroke:{colour};opacity:.5"/>',
        f'<path class="line" d="M{path}" style="stroke:{colour}" stroke-dasharray="{DASHES[number]}"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" style="fill:{colour}"/>' for x, y in places),
        f'<path d="M{last_x + 5:.1f} {last_y:.1f}L{last_x + 16:.1f} {height:.1f}" style="stroke:{colour};opacity:.6"/>',
        f'<text x="{last_x + 20:.1f}" y="{height + 4:.1f}">{line.name}</text>',
    ]


def _apart(heights: Sequence[float]) -> list[float]:
    """Heights for labels, each near its own and none upon another, from the lowest up."""
    placed: dict[int, float] = {}
    limit = float(HEIGHT - BOTTOM)
    for number in sorted(range(len(heights)), key=lambda n: -heights[n]):
        placed[number] = min(heights[number], limit)
        limit = placed[number] - LABEL_STEP
    return [placed[number] for number in range(len(heights))]
