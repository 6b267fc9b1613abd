"""Lines of transition records, in and out: what an import reads, and what an export writes.

A ledger written out and read in is the same ledger, but for positions. A line that cannot be read is told, and costs
nothing but itself.
"""
