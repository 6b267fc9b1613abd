"""Single durable jobs put into two queues on PostgreSQL by 64 asyncio tasks, against 64 callers of the ledger.

They do other work, a queue's: what is compared is the cost of putting one job safely on record.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

from ledger.service.assembly import assemble
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.callers import write
from tests.benchmarks.measure import Sample, interleave, millis, ratio, spreads

TASKS, SECONDS, CONNECTIONS = 64, 2, 16
FINISHED_JOBS = 2_000
PACKAGES = {"procrastinate": ("procrastinate",), "pgqueuer": ("pgqueuer", "asyncpg")}
Act = Callable[[], Awaitable[object]]


def measure(bench: Bench) -> Findings:
    """The rates of all that is installed, turn by turn."""
    there = {name: all(find_spec(package) for package in needed) for name, needed in PACKAGES.items()}
    with assemble(writer(bench.new_ledger())) as ledger:
        sides: dict[str, Callable[[], Sample]] = {"ledger": partial(write, ledger, TASKS, SECONDS)}
        if there["procrastinate"]:
            sides["procrastinate"] = _procrastinate(bench)
        if there["pgqueuer"]:
            sides["pgqueuer"] = _pgqueuer(bench)
        shown = interleave(sides, bench.budget(5, 45))
    ours = shown["ledger"]["per_s"]
    missing = [f"{name} is not installed, so it was not measured" for name, found in there.items() if not found]
    return Findings(
        ratios={
            "vs_procrastinate_defer": ratio(ours, shown["procrastinate"]["per_s"]) if there["procrastinate"] else None,
            "vs_pgqueuer_enqueue": ratio(ours, shown["pgqueuer"]["per_s"]) if there["pgqueuer"] else None,
        },
        figures=dict(spreads(shown)),
        notes=(f"{TASKS} asyncio tasks over {CONNECTIONS} connections, no worker running while they put", *missing),
    )


async def _crowd(act: Act) -> Sample:
    until = time.perf_counter() + SECONDS
    took: list[float] = []

    async def go_on() -> None:
        now = time.perf_counter()
        while now < until:
            await act()
            before, now = now, time.perf_counter()
            took.append(now - before)

    began = time.perf_counter()
    await asyncio.gather(*(go_on() for _ in range(TASKS)))
    return {"per_s": len(took) / (time.perf_counter() - began), **millis(took)}


def _procrastinate(bench: Bench) -> Callable[[], Sample]:
    import procrastinate

    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    conninfo = bench.new_database()

    def new_app() -> Any:
        pool = {"min_size": CONNECTIONS, "max_size": CONNECTIONS}
        return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo, **pool))

    async def create() -> None:
        app = new_app()
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    asyncio.run(create())
    return lambda: asyncio.run(_defer(new_app()))


async def _defer(app: Any) -> Sample:
    async def nothing(level: int) -> None:
        pass

    task = app.task(nothing, name="nothing")
    async with app.open_async():
        shown = await _crowd(partial(task.defer_async, level=1))
        await app.connector.execute_query_async("TRUNCATE procrastinate_jobs CASCADE")
        finished = await _defer_to_finish(app, task)
    return {**shown, "defer_to_finish_per_s": finished}


async def _defer_to_finish(app: Any, task: Any) -> float:
    """Jobs a second from nothing to done, put by all tasks and then run by one worker."""
    began = time.perf_counter()

    async def defer(times: int) -> None:
        for _ in range(times):
            await task.defer_async(level=1)

    await asyncio.gather(*(defer(FINISHED_JOBS // TASKS) for _ in range(TASKS)))
    await app.run_worker_async(concurrency=TASKS, wait=False, listen_notify=False, install_signal_handlers=False)
    return FINISHED_JOBS // TASKS * TASKS / (time.perf_counter() - began)


def _pgqueuer(bench: Bench) -> Callable[[], Sample]:
    import asyncpg
    from psycopg.conninfo import conninfo_to_dict

    place = conninfo_to_dict(bench.new_database())
    where = {"host": place["host"], "port": int(str(place["port"])), "user": place["user"], "database": place["dbname"]}

    async def create() -> None:
        async with asyncpg.create_pool(**where, min_size=1, max_size=1) as pool:
            await _queries(pool).install()

    async def enqueue() -> Sample:
        async with asyncpg.create_pool(**where, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
            queries = _queries(pool)
            return await _crowd(partial(queries.enqueue, "nothing", b'{"level":1}'))

    asyncio.run(create())
    return lambda: asyncio.run(enqueue())


def _queries(pool: Any) -> Any:
    from pgqueuer.queries import Queries

    return Queries.from_asyncpg_pool(pool)
