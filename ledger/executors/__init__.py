"""Those who do the work: what an executor can be asked (`protocol`), and what is known of one from a file (`taskfile`).

Nothing here decides what has become of a job; it says what an executor says.
"""
