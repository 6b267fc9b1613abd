"""The views that are written in the transaction of every append, and so are true as soon as it is acknowledged.

Each folds the events of a stream into rows of its own: `job_status`, `running_jobs`, `told`. They are rebuilt beside
the live ones, page by page, and put in their place. A view here never reads another, but `job_status`.
"""
