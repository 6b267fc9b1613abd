"""Sides run in turns, A B A B, and what they show: medians with their spread, and ratios taken round by round."""

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

ROUNDS_MIN = 3

Sample = Mapping[str, float]
Side = Callable[[], Sample]
Series = dict[str, list[float]]


@dataclass(frozen=True)
class Spread:
    """What several rounds showed of one figure."""

    median: float
    least: float
    most: float
    rounds: int

    def as_json(self) -> dict[str, float]:
        """The spread under the names that the file of figures uses."""
        return asdict(self)


@dataclass(frozen=True)
class Budget:
    """How often the sides run: `rounds_max` times, fewer (three at least) where that takes `seconds_max`."""

    rounds_max: int
    seconds_max: float


def spread(values: Sequence[float]) -> Spread:
    """The median of some values, and the least and the most of them."""
    return Spread(statistics.median(values), min(values), max(values), len(values))


def ratio(above: Sequence[float], below: Sequence[float]) -> Spread:
    """How many times one figure is the other, of each round by itself."""
    return spread([a / b for a, b in zip(above, below, strict=True)])


def interleave(sides: Mapping[str, Side], budget: Budget) -> dict[str, Series]:
    """Run each side once a round; what each of its figures was in every round is returned."""
    shown: dict[str, Series] = {name: {} for name in sides}
    until = time.monotonic() + budget.seconds_max
    for done in range(budget.rounds_max):
        if done >= ROUNDS_MIN and time.monotonic() > until:
            break
        for name, side in sides.items():
            gc.collect()
            for figure, value in side().items():
                shown[name].setdefault(figure, []).append(value)
    return shown


def spreads(shown: Mapping[str, Series]) -> dict[str, dict[str, Spread]]:
    """Every figure of every side with its spread."""
    return {name: {figure: spread(values) for figure, values in series.items()} for name, series in shown.items()}


def rate(count: int, work: Callable[[], object]) -> float:
    """How many a second, where this work does `count`."""
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def seconds(work: Callable[[], object]) -> float:
    """How long this work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def latencies(work: Callable[[], object], times: int) -> list[float]:
    """How long each of several calls takes, in seconds, in order."""
    return [seconds(work) for _ in range(times)]


def quantile(values: Iterable[float], share: float) -> float:
    """The value below which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def millis(values: Iterable[float]) -> dict[str, float]:
    """The p50 and p99 of latencies, in milliseconds."""
    ordered = list(values)
    return {"p50_ms": quantile(ordered, 0.5) * 1e3, "p99_ms": quantile(ordered, 0.99) * 1e3}
