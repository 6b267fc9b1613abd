"""What proof costs: sealing, verifying and exporting a history, and writes with and without a sealer that follows."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event, Thread

from ledger.integrity.audit import Auditor
from ledger.integrity.export import Export
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.integrity.trust import Trust
from ledger.integrity.verify import Verifier
from ledger.records.transcript import transcribe
from ledger.service.assembly import assemble
from ledger.service.exportfile import write_export
from ledger.store.connection import connect
from ledger.store.seals import SealTable
from tests.benchmarks.bench import Bench, Findings, sealer, writer
from tests.benchmarks.callers import write
from tests.benchmarks.loaded import Size, load
from tests.benchmarks.measure import Sample, interleave, rate, ratio, seconds, spread, spreads

EVENTS, EVENTS_FULL = 200_000, 1_000_000
EXPORTED = 20_000
CALLERS, SECONDS, EVERY_SECONDS = 16, 4.0, 1.0
TABLES = "SELECT pg_total_relation_size('ledger.tiles') AS bytes"


def measure(bench: Bench) -> Findings:
    """Events a second into the tree, through a verification and into an export; and transitions beside a sealer."""
    events = EVENTS_FULL if bench.full else EVENTS
    with tempfile.TemporaryDirectory(prefix="jobledger-bench-") as folder:
        superuser = bench.new_ledger()
        loaded = load(superuser, Size(events // 4, 3, 4))
        shown = interleave(_sides(superuser, loaded, Path(folder)), bench.budget(3, 60))
        per_event = _tree_bytes(superuser) / loaded
        bench.drop(superuser)
        beside = interleave(_writers(bench, Path(folder)), bench.budget(3, 60))
    found = spreads(shown)
    return Findings(
        ratios={
            "seal_events_per_s": found["seal"]["per_s"],
            "verify_events_per_s": found["verify"]["per_s"],
            "export_events_per_s": found["export"]["per_s"],
            "writes_sealed_ratio": ratio(beside["sealed"]["per_s"], beside["alone"]["per_s"]),
        },
        figures={**found, "writes": spreads(beside), "tree_bytes_per_event": spread([per_event]), "events": loaded},
        notes=(
            f"{loaded:,} events, sealed and verified each round; {EXPORTED:,} of them exported and audited",
            f"{CALLERS} callers for {SECONDS:g} s, alone and beside a sealer that seals every {EVERY_SECONDS:g} s",
        ),
    )


def _sides(superuser: str, events: int, folder: Path) -> dict[str, Callable[[], Sample]]:
    room, turns = SealTable(lambda: connect(sealer(superuser))), count()
    file = KeyFile(folder / "0" / "seal.key")

    def seal() -> Sample:
        nonlocal file
        _unseal(superuser)
        file = KeyFile(folder / str(next(turns)) / "seal.key")
        return {"per_s": rate(events, Sealer(room, file).seal)}

    def verify() -> Sample:
        def work() -> None:
            assert Verifier(room, _trust(file), file.kept()).verify().ok

        return {"per_s": rate(events, work)}

    return {
        "seal": seal,
        "verify": verify,
        "export": lambda: _export(room, folder / "export.jsonl"),
        "audit": lambda: _audit(folder / "export.jsonl", _trust(file)),
    }


def _trust(file: KeyFile) -> Trust:
    return Trust((file.read().verifier,), "the key of this run")


def _unseal(superuser: str) -> None:
    """Let a ledger be as it was before it was ever sealed."""
    with connect(superuser) as connection:
        for table in ("tiles", "checkpoints", "seal_keys"):
            connection.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER refuse_unsealing")
            connection.execute(f"TRUNCATE ledger.{table}")
            connection.execute(f"ALTER TABLE ledger.{table} ENABLE ALWAYS TRIGGER refuse_unsealing")


def _export(room: SealTable, path: Path) -> Sample:
    def work() -> None:
        with room.reading() as seals:
            write_export(path, Export(seals, transcribe, range(1, EXPORTED + 1)))

    return {"per_s": rate(EXPORTED, work)}


def _audit(path: Path, trust: Trust) -> Sample:
    def work() -> None:
        with path.open("rb") as file:
            assert Auditor(trust, transcribe).audit(file).ok

    return {"per_s": rate(EXPORTED, work)}


def _tree_bytes(superuser: str) -> float:
    with connect(superuser) as connection:
        return float(connection.execute(TABLES).fetchall()[0]["bytes"])


def _writers(bench: Bench, folder: Path) -> dict[str, Callable[[], Sample]]:
    superuser = bench.new_ledger()
    file = KeyFile(folder / "writes" / "seal.key")
    return {"alone": partial(_write, superuser, None), "sealed": partial(_write, superuser, file)}


def _write(superuser: str, file: KeyFile | None) -> Sample:
    with assemble(writer(superuser)) as ledger:
        if file is None:
            return write(ledger, CALLERS, SECONDS)
        with _following(superuser, file) as spent:
            sample = write(ledger, CALLERS, SECONDS)
        return {**sample, "sealing_share": sum(spent) / SECONDS}


@contextmanager
def _following(superuser: str, file: KeyFile) -> Iterator[list[float]]:
    """A sealer that follows, in a thread of this process; the seconds that each sealing took come out."""
    following, stop = Sealer(SealTable(lambda: connect(sealer(superuser))), file), Event()
    spent: list[float] = []

    def follow() -> None:
        while not stop.wait(EVERY_SECONDS):
            spent.append(seconds(following.seal))

    thread = Thread(target=follow)
    thread.start()
    try:
        yield spent
    finally:
        stop.set()
        thread.join()
