"""The one way in: decided under the append lock, and recorded with all that the views make of it, or not at all.

Top to bottom: a `submission` is what a caller gives; `recorder` takes those of a process; `committer` lets the ones
that come together share a commit; `line` is the connection that it goes over; `workspace` knows the streams of one
append, with `families`, `holdings` and `lookup` for what else is asked of the views; `judge` decides each transition
and holds it against what runs. What has an answer is committed; what may or may not be is `OutcomeUnknown`, and can be
said again. Nothing here asks a question for its own sake, and nothing here calls a view by name.
"""
