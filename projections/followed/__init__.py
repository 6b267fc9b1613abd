"""The views that cost an append nothing: they catch up when they are asked, or whenever somebody follows.

`history` is the index that auditors search, `activity` what was active when. Each page of events is taken in with the
position that it leads to, so that a follower may be killed anywhere, and two may follow at once.

To add one:

1. `<view>.py`: a class as `follower.Followed` asks for it, with a table by word that is total (`ledger.domain.facts`).
   It reads stored events, of which no fact is checked.
2. `follower.py`: its place in `FOLLOWED`.
3. `migrations/`: its tables, as `ledger.store` says, with an index for each question.
4. `sql/`: what it reads and writes, each statement with the schema `history` named.
5. `projections/queries`: the question, before which the view catches up (`Follower.catch_up`).
6. `pyproject.toml`: its module among the projections that do not import one another.
7. `tests/projections`: that it is the same however it is followed, killed or not, and that no question reads a whole
   table; `test_activity_is_the_same_however_it_is_followed.py` and `test_the_past_never_reads_a_whole_table.py` do so.

An older ledger needs nothing: a view begins at position 1 when it is asked. What it says may change with its `version`
alone. `jobledger projections` lists and rebuilds it by itself.
"""
