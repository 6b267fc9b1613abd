"""Those who do the work: what an executor can be asked (`protocol`), and what is known of one from a file (`taskfile`).

Nothing here decides what has become of a job; it says what an executor says.

To add an adapter:

1. A module of its own here: a class with a `name` and the four verbs of `protocol.Executor`, each of which raises
   `ExecutorUnreachable` where nobody answers. It does not guess: a `Listing` is `complete` only where it names every
   task that was ever given, and has `tokens` only where the executor keeps those that it was called with.
2. Each `Task` has the ledger's word as its state and the executor's own in `raw`, and its id or its token or both. Only
   what cannot change any more is `succeeded`, `failed` or `cancelled`.
3. `fence` holds after the executor has died and started again, too.
4. `pyproject.toml`: what it needs beyond what the ledger needs is an extra, and is imported when it is made.
5. Tests as in `tests/recovery`, with the executor itself: a call whose answer is lost is found by its token, a task
   that ended is told as ended, one that was fenced is refused. Then `README.md` and `CHANGELOG.md`.
"""
