"""What a job is, what may become of it, and what was said about it: pure, and the same in any language.

A `Transition` asks; `decide` answers with the events that follow from it, or with the reason why none does; `evolve`
takes an event into the state of its job. Nothing here reads a clock, draws a random number or opens a connection:
what a decision needs to know of other jobs arrives as `Surroundings`.

Read `events` first: it is the vocabulary. `states` holds the transition table. `facts` has the rule for whatever else
is keyed by facts: it speaks of all of them.

To add an event:

1. `events.py`: its class, which says in the past tense what has become true, with its word and its topic
   (`job.<word>.v1`), which may never change; name it in `JOB_FACTS`.
2. `states.py`: its row in `TRANSITIONS`. `scripts/diagram` draws the table in the README anew.
3. `scripts/test tests/domain/test_each_table_is_total.py` names each table, here and in other rooms, that says nothing
   of it: give it a row there, or add its word to the `NOT_IN_…` beside that. What is said of whole trees stands in
   `projections/inline/sql/select_left_below.sql` too.
4. A migration of `ledger/store`, as that room says, without which the database refuses the event:
   `INSERT INTO topics (topic) VALUES ('job.<word>.v1');`.
5. `scripts/test tests/properties` names the histories that cannot be made of it, and the models that have no word for
   it. Where it has fields that must be said, `BODIES` in `tests/properties/strategies.py` and `lives.py` and `_body` in
   `tests/projections/histories.py` say them.
6. `tests/domain/test_the_table_decides_what_may_follow_what.py` tries it in each phase: its fields, and what it may
   follow beyond the table, stand in front there.
7. `ledger/application.py`: the method that says it. Then a test of what it is for, and `CHANGELOG.md`.
"""
