"""Who answers for jobs: the epochs of owners, each fencing those before it, and the leases that say that they live.

A lease that ran out is a hint for people and for recovery; only a newer epoch takes anything from an older one.
"""
