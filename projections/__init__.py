"""Read tables that answer what runs now, on which entity, and what expires when; all can be thrown away and rebuilt.

Each projection folds events into tables of its own. Those of `inline` are written in the transaction of every append,
so that an acknowledged transition is visible at once, and rebuilt beside the live ones; those of `followed` catch up
when they are asked. `queries` answers from both. Nothing here writes an event.
"""
