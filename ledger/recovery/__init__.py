"""After a crash: who answers for what, what executors know of it, and which verdict follows.

An owner that starts again fences its earlier epochs. Recovery then holds the jobs that a fenced owner left behind, or
that never had one, against what executors say, and proposes for each the verdict that the evidence allows; applied,
each is an event with that evidence. Absence is never a verdict. Everything here can be repeated, killed anywhere, and
run by two at once; nothing here calls an executor to do work.
"""
