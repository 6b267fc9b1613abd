"""The benchmark without its clock: the figures that it names, and the history that it loads."""

import json

import psycopg
import pytest
from psycopg.rows import dict_row

from projections.inline import rebuild
from tests.benchmarks.bench import Findings
from tests.benchmarks.loaded import Size, fill_views, load
from tests.benchmarks.measure import spread
from tests.benchmarks.plot import Line, draw
from tests.benchmarks.report import FIGURES, KEYS, TARGETS, Report
from tests.benchmarks.run import PARTS

ASKED = {
    "write_ratio_64", "write_vs_library_64", "single_ratio", "bulk_events_per_s", "bulk_ratio", "busy_ratio",
    "busy_flatness", "rebuild_events_per_s", "recovery_plan_s", "show_startup_s", "bytes_per_transition",
    "bytes_per_event", "vs_procrastinate_defer", "vs_pgqueuer_enqueue", "history_events_per_s", "search_ms",
    "as_of_busy_ms", "as_of_flatness", "seal_events_per_s", "verify_events_per_s", "export_events_per_s",
    "writes_sealed_ratio", "siblings_ratio", "parent_ratio", "cancel_ratio", "expire_ratio", "tree_wait_ms",
    "roll_up_ms", "guarded_write_ratio", "guarded_bulk_ratio", "long_stream_ratio", "long_stream_first_ratio",
}  # fmt: skip


def _report() -> Report:
    """A report in which every figure is 2, but for those of the other queues, which are not installed."""
    report = Report({"machine": "none"})
    for part in PARTS:
        keys = [target.key for target in TARGETS if target.part == part]
        found = Findings(
            {key: None if part == "others" else spread([1, 2, 4]) for key in keys}, {"a": {"b": spread([3])}}
        )
        report.take(part, found, 1.0)
    return report


def test_the_file_names_exactly_what_the_design_asks_for() -> None:
    said = json.loads(_report().as_json())

    assert set(said) == {*ASKED, FIGURES} == {*KEYS, FIGURES}
    assert said["write_ratio_64"] == 2
    assert said["vs_pgqueuer_enqueue"] is None
    assert said[FIGURES]["spreads"]["write_ratio_64"] == {"median": 2, "least": 1, "most": 4, "rounds": 3}
    assert {*PARTS} < set(said[FIGURES])


def test_the_table_tells_every_figure_and_whether_its_floor_holds() -> None:
    rows = {line.split(":")[0].strip(): line for line in _report().as_text().splitlines() if ":" in line}

    assert rows.keys() >= ASKED
    assert rows["write_ratio_64"].endswith("goal")
    assert rows["single_ratio"].endswith("goal")
    assert rows["busy_ratio"].endswith("floor")
    assert rows["busy_flatness"].endswith("MISSED")


def test_a_part_may_not_leave_a_figure_out() -> None:
    with pytest.raises(AssertionError):
        Report({}).take("bulk", Findings({"bulk_ratio": None}, {}), 1.0)


def test_the_plot_names_each_line_and_both_units() -> None:
    drawn = draw("Cost", [Line(name, {10_000: spread([0.4]), 1_000_000: spread([0.5])}) for name in ("busy", "show")])

    assert all(words in drawn for words in (">busy<", ">show<", "1,000,000", "jobs on record", "milliseconds", "dark"))


@pytest.mark.parametrize("events_each", [3, 5])
def test_what_is_loaded_says_what_a_rebuild_says(superuser: str, events_each: int) -> None:
    size = Size(jobs=90, active=10, events_each=events_each)
    events = load(superuser, size)
    fill_views(superuser, size)

    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        assert set(rebuild.compare(connection).values()) == {0}
        assert {view["lag"] for view in rebuild.reached(connection)} == {0}
    assert events == 90 * events_each + 10 * 2
