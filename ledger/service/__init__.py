"""The only room that opens both sides: it wires the ledger to its views, finds the database, and shows the faces.

Nothing here decides anything about a job.
"""
