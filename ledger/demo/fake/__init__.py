"""A fake executor for tests and the demo: a process of its own whose tasks do what a script says.

`executor` starts and asks it, `process` is it; what really ran stands in its journal, which outlives it.
"""
