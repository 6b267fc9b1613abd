SELECT topic FROM ledger.topics WHERE topic = ANY(%(topics)s)
