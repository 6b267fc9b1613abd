"""What the demo kills and recovers: an engine as a control plane has one, and an executor that follows a script.

They use the ledger as anybody may, by its public names.
"""
