import gzip
import json
import subprocess
import sys
from pathlib import Path

from tests.service.cli.conftest import environment, plan

MEASURE = """
import resource
import sys
sys.argv = ["jobledger", "import", sys.argv[1], "-o", "json"]
from ledger.service.cli import run
try:
    sys.exit(run())
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def _peak_kib(conninfo: str, source: Path) -> int:
    words = (sys.executable, "-c", MEASURE, str(source))
    done = subprocess.run(words, env=environment(conninfo), capture_output=True, text=True, check=True, timeout=120)
    return int(done.stderr.split()[-1])


def test_memory_does_not_grow_with_the_file(conninfo: str, second: str, tmp_path: Path) -> None:
    small, large = tmp_path / "small.gz", tmp_path / "large.gz"
    for path, jobs in ((small, 500), (large, 8_000)):
        with gzip.open(path, "wt", compresslevel=1) as file:
            for n in range(jobs):
                file.write(json.dumps(plan(f"j{n}", params={"text": "x" * 20_000})) + "\n")

    # 8,000 records of 20 kB are 160 MB; what is kept from them must be far less than the difference.
    assert _peak_kib(second, large) - _peak_kib(conninfo, small) < 60_000
