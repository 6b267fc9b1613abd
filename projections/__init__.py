"""Read tables that answer what runs now, on which entity, and what expires when; all can be thrown away and rebuilt.

Each projection folds events into tables of its own. The runner applies all of them in the transaction of every append,
so that an acknowledged transition is visible at once, and rebuilds them beside the live ones. Nothing here writes an
event.
"""
