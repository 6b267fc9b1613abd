"""The views that are written in the transaction of every append, and so are true as soon as it is acknowledged.

Each folds the events of a stream into rows of its own: `job_status`, `running_jobs`, `told`. They are rebuilt beside
the live ones, page by page, and put in their place. A view here never reads another, but `job_status`.

To add one:

1. `<view>.py`: a class as `projections.projection.Projection` asks for it, with a table by fact that is total
   (`ledger.domain.facts`). What it keeps of a job follows from the job's own stream.
2. `views.py`: its place in `PROJECTIONS`, and in `InlineViews.recall` what it keeps of a job whose events are not read.
3. `migrations/`: its tables, as `ledger.store` says. `sql/select_lag.sql` names the view.
4. `sql/`: what it reads and writes, each statement with the schema `projections` named, for built beside the live ones
   it is done to `projections_rebuild`. All that an append writes is one statement: no two views have a parameter in
   common.
5. `pyproject.toml`: its module among the projections that do not import one another.
6. `tests/projections/model.py` predicts it, and `test_views_agree_with_the_model_at_every_position.py` compares.

`jobledger migrate` rebuilds all views where one has not begun; what fills a large ledger without that is `backfill.py`.
What a view says may change with its `version` alone. `jobledger projections` lists, rebuilds and compares it by itself.
"""
