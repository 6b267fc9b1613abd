"""The views that cost an append nothing: they catch up when they are asked, or whenever somebody follows.

`history` is the index that auditors search, `activity` what was active when. Each page of events is taken in with the
position that it leads to, so that a follower may be killed anywhere, and two may follow at once.
"""
