"""Where and with what it was measured, so that figures can be held against those of another run."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psycopg

from tests.benchmarks.bench import Bench

PACKAGES = ("eventsourcing", "psycopg", "psycopg-pool", "pydantic", "procrastinate", "pgqueuer", "asyncpg")
SETTINGS = (
    "server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers",
    "max_wal_size", "checkpoint_timeout", "autovacuum",
)  # fmt: skip


def describe(bench: Bench) -> dict[str, str]:
    """The machine, the programs and the settings of the server."""
    with psycopg.connect(bench.server.conninfo()) as connection:
        names = connection.execute(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", (list(SETTINGS),)
        ).fetchall()
    settings: dict[str, str] = dict(names)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "Python": f"{platform.python_version()} in {sys.base_prefix}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "PostgreSQL": ", ".join(f"{name} = {settings[name]}" for name in SETTINGS),
        "data": f"{bench.server.status().folder} on the same machine, over a Unix socket",
        "jobledger": _commit(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit that is checked out, as git's own files tell it."""
    git = Path(__file__).parents[2] / ".git"
    head = git / "HEAD"
    if not head.exists():
        return version("jobledger")
    said = head.read_text(encoding="utf-8").strip()
    place = git / said.removeprefix("ref: ")
    return place.read_text(encoding="utf-8").strip() if place.is_file() else said
