"""Measures the ledger against PostgreSQL itself, on one server, in one run; `scripts/bench` runs it, pytest does not.

Each part is a file with one `measure`: it runs its sides in turns, A B A B, and tells medians with their spread. What
holds from machine to machine is a ratio, taken round by round, so that what disturbs one round disturbs both sides.
"""
