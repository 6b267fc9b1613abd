import gzip
import io
import json
import os
import random
import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import FileDamaged
from ledger.service.cli.source import Source, open_source
from tests.service.cli.commands import run_all
from tests.service.cli.conftest import COMMAND, Run, environment, plan

LINES = [
    json.dumps(plan(f"j{n}", params={"text": f"{random.Random(n).getrandbits(400):x}"})).encode() for n in range(40)
]
PACKED = gzip.compress(b"\n".join(LINES) + b"\n", mtime=0)


def _read(path: Path) -> tuple[list[bytes], FileDamaged | None]:
    with ExitStack() as stack:
        source = open_source(str(path), stack)
        return [line.rstrip(b"\n") for line in source.lines()], source.damage


def test_a_gzip_cut_anywhere_gives_the_lines_before_the_cut(tmp_path: Path) -> None:
    """At each of its bytes: what comes out are the first lines, whole, and that there is more."""
    path = tmp_path / "records.gz"
    counts = []
    for end in range(len(PACKED)):
        path.write_bytes(PACKED[:end])
        lines, damage = _read(path)

        assert lines == LINES[: len(lines)]
        assert damage is not None, end
        assert damage.facts["line"] == len(lines)
        counts.append(len(lines))
    assert counts == sorted(counts)
    assert {0, len(LINES)} < set(counts)


def test_a_whole_gzip_is_no_damage(tmp_path: Path) -> None:
    """Nor are two of them, one behind the other, or none in a file of nothing that is not called one."""
    path = tmp_path / "records.gz"
    path.write_bytes(PACKED + PACKED)
    assert _read(path) == (LINES + LINES, None)
    (tmp_path / "records").write_bytes(b"")
    assert _read(tmp_path / "records") == ([], None)


@pytest.mark.parametrize("place", range(10, len(PACKED), 97))
def test_a_byte_that_was_altered_ends_the_file(tmp_path: Path, place: int) -> None:
    path = tmp_path / "records.gz"
    path.write_bytes(PACKED[:place] + bytes([PACKED[place] ^ 0x55]) + PACKED[place + 1 :])

    assert _read(path)[1] is not None


def test_a_pipe_may_begin_with_one_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is gzip all the same."""
    reading, writing = os.pipe()
    said = threading.Event()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            pipe.write(PACKED[:1])
            said.wait(30)
            pipe.write(PACKED[1:])

    class Peeked(io.BufferedReader):
        def peek(self, size: int = 0, /) -> bytes:
            found = super().peek(size)
            said.set()
            return found

    writer = threading.Thread(target=write)
    writer.start()
    with Peeked(io.FileIO(reading)) as raw, ExitStack() as stack:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(raw))
        assert [line.rstrip(b"\n") for line in open_source("-", stack).lines()] == LINES
    writer.join()


def test_what_cannot_be_read_on_ends_the_file() -> None:
    """As on a disk with a bad block, or a share that went away."""

    class Bad(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().readline(size)

    source = Source("records", Bad(b"a\nb\n"), None, None)

    assert [*source.lines()] == [b"a\n"]
    assert "cannot be read on (Input/output error) after line 1" in str(source.damage)
    with pytest.raises(FileDamaged):
        [*Source("records", Bad(b"a\nb\n"), None, None).whole()]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "header": lambda packed: packed[:5],
    "middle": lambda packed: packed[: len(packed) // 2],
    "checksum": lambda packed: packed[:-3],
    "behind": lambda packed: packed + b"garbage",
    "corrupt": lambda packed: packed[:-8] + bytes(8),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_an_import_keeps_the_tally_and_says_from_where_to_go_on(
    run: Run, ledger: Ledger, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "records.gz"
    path.write_bytes(DAMAGES[kind](PACKED))
    expected = len(_read(path)[0])

    done = run("import", str(path), "-o", "json")

    assert done.code == 2
    tally = json.loads(done.out)
    assert (tally["read"], tally["recorded"], tally["position"]) == (expected, expected, ledger.position())
    assert done.err.count("\n") == 1
    assert f"after line {expected:,}." in done.err
    assert f"from line {expected + 1:,}" in done.err
    path.write_bytes(PACKED)
    again = json.loads(run("import", str(path), "-o", "json").out)
    assert (again["unchanged"], again["recorded"]) == (expected, len(LINES) - expected)


def test_rejected_lines_are_told_beside_the_damage(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "records.gz"
    path.write_bytes(gzip.compress(b"not json\n" + LINES[0] + b"\n")[:-1])

    done = run("import", str(path))

    assert done.code == 2
    assert "1 events recorded" in done.out
    assert "1 rejected" in done.out
    assert "line 1: " in done.err
    assert "from line 3" in done.err


def test_a_pipe_that_ends_early_is_told_too(conninfo: str) -> None:
    words = (*COMMAND, "import", "-", "-o", "json")
    half = PACKED[: len(PACKED) // 2]
    done = subprocess.run(words, input=half, env=environment(conninfo), capture_output=True, timeout=60, check=False)

    assert done.returncode == 2
    assert json.loads(done.stdout)["recorded"] > 0
    assert b"The file stdin must be whole gzip" in done.stderr


def test_what_python_iterates_is_recorded_up_to_its_error(ledger: Ledger) -> None:
    """Also within a page."""
    tallies = []

    def lines() -> object:
        yield from LINES[:7]
        raise EOFError("cut")

    with pytest.raises(EOFError):
        ledger.import_records(lines(), on_page=lambda summary: tallies.append(summary.recorded))  # type: ignore[arg-type]

    assert (tallies, ledger.position()) == ([7], 7)


@pytest.mark.parametrize("kind", ["header", "middle", "checksum"])
def test_a_listing_of_tasks_that_is_cut_off_is_none(run: Run, ledger: Ledger, tmp_path: Path, kind: str) -> None:
    """What it does not name may be beyond the cut."""
    ledger.plan("T", job="a")
    path = tmp_path / "tasks.gz"
    tasks = "".join(f'{{"executor":"e","external_id":"{n}","state":"running"}}\n' for n in range(200))
    path.write_bytes(DAMAGES[kind](gzip.compress(tasks.encode() + b'{"executor":"e","complete":true}\n')))

    done = run("recover", "--tasks", str(path), "--apply")

    assert (done.code, done.out, ledger.position()) == (2, "", 1)
    assert done.err.startswith(f"jobledger: The file {path} must be whole gzip, and ")
    assert done.err.count("\n") == 1


Export = Callable[[str, Callable[[bytes], bytes]], tuple[Path, str]]


@pytest.fixture
def export(run: Run, ledger: Ledger, superuser: str, tmp_path: Path) -> Export:
    """Export everything, sealed, to a file of a name, of which so much is kept; with the key."""
    ledger.import_records(LINES)
    env = environment(superuser, JOBLEDGER_KEY=str(tmp_path / "seal.key"))
    key = json.loads(run("seal", "-o", "json", env=env).out)["key"]

    def write(name: str, keep: Callable[[bytes], bytes]) -> tuple[Path, str]:
        path = tmp_path / name
        assert run("export", "--to", str(path), env=env).code == 0
        path.write_bytes(keep(path.read_bytes()))
        return path, key

    return write


@pytest.mark.parametrize(
    ("keep", "proved"),
    [(lambda data: data[:-3], 40), (lambda data: data + b"x", 40), (lambda data: data[: len(data) // 2], 0)],
)
def test_an_export_that_is_cut_off_says_what_is_proved_and_what_is_not(
    run: Run, export: Export, keep: Callable[[bytes], bytes], proved: int
) -> None:
    """Nothing is said to be altered: what proves it may be missing."""
    path, key = export("all.jsonl.gz", keep)

    done = run("verify-export", str(path), "--key", key, env=environment(None))
    said = run("verify-export", str(path), "--key", key, "-o", "json", env=environment(None))

    assert (done.code, said.code) == (6, 6)
    found = json.loads(said.out)
    assert [finding["kind"] for finding in found["findings"]] == ["format"]
    assert (found["proved"], bool(found["proves"])) == (proved, proved > 0)
    assert ("Proved: 40 events are" in done.out) is (proved > 0)
    assert ("events before the cut" in done.out) is (proved == 0)


def test_an_export_cut_within_a_line_is_cut_off(run: Run, export: Export) -> None:
    path, _ = export("all.jsonl", lambda data: data[:-10])

    done = run("verify-export", str(path))

    assert done.code == 6
    assert "ends within line 42" in " ".join(done.out.split())
    assert "Proved: 40 events are" in done.out


def test_a_key_or_a_checkpoint_that_is_cut_off_is_told(
    run: Run, export: Export, superuser: str, tmp_path: Path
) -> None:
    """Cut anywhere, with NUL in it, or no text at all: one sentence, and no proof."""
    path, key = export("all.jsonl", lambda data: data)
    env = environment(superuser, JOBLEDGER_KEY=str(tmp_path / "seal.key"))
    note = (tmp_path / "seal.key.checkpoint").read_bytes()
    whole = {"--key": f"{key}\n".encode(), "--checkpoint": note, "seal": (tmp_path / "seal.key").read_bytes()}
    commands = []
    for what, data in whole.items():
        for place in [*range(0, len(data) - 1, max(1, len(data) // 12)), -1, -2]:
            bad = data[:place] if place >= 0 else data[:30] + (b"\0" if place == -1 else b"\xff\xfe") + data[30:]
            file = tmp_path / f"{what.strip('-')}.{place}"
            file.write_bytes(bad)
            file.chmod(0o600)
            verifying = ["verify-export", str(path), what, str(file)]
            commands.append(verifying if what != "seal" else ["seal", "--key", str(file)])

    for said in run_all(commands, env, tmp_path, terminal=False):
        if said.code == "6":  # a note that reads, and was not signed
            assert said.words[-1].endswith("checkpoint.-2"), said
            continue
        assert (said.code, said.out) == ("2", b""), said
        assert said.err.startswith(b"jobledger: "), said
        assert said.err.count(b"\n") == 1, said
        assert b"PRIVATE" not in said.err.replace(b"PRIVATE+KEY+, ", b""), said
