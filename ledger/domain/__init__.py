"""What a job is, what may become of it, and what was said about it: pure, and the same in any language.

A `Transition` asks; `decide` answers with the events that follow from it, or with the reason why none does; `evolve`
takes an event into the state of its job. Nothing here reads a clock, draws a random number or opens a connection:
what a decision needs to know of other jobs arrives as `Surroundings`.

Read `events` first: it is the vocabulary. `states` holds the transition table.
"""
