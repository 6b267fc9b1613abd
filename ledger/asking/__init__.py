"""What may be asked of the ledger and what it answers, without a statement of SQL.

`questions` are about now, `search` about all of history, `moment` about the ledger as it stood, `difference` about what
lies between two moments, `waiting` about what is to come; `answers` says what all of these look like, and what is asked
of whoever keeps the views. Each answer says to which position it is true.
"""
