"""The one way in: decided under the append lock, and recorded with all that the views make of it, or not at all.

Top to bottom: `recorder` takes what callers of a process say; `committer` lets those that come together share a commit;
`line` is the connection that it goes over; `workspace` knows the streams of one append; `judge` decides each transition
and holds it against what runs. What has an answer is committed; what may or may not be is `OutcomeUnknown`, and can be
said again. Nothing here asks a question for its own sake, and nothing here calls a view by name.
"""
