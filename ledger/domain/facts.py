"""Facts by what they have in common, and the one rule for whatever is keyed by facts: it is total.

A table, a set, or a function that tells two facts or more apart speaks of every fact of their kind. Those that it
leaves out are named beside it, under `NOT_IN_` and its name: `_LEGAL` and `_NOT_IN_LEGAL`. No code reads these; they
show that somebody has thought of each fact, and `tests/domain/test_each_table_is_total.py` says of which nobody has.
What is computed from the lists in `events` leaves nothing out by mistake, and needs none.
"""

from ledger.domain.events import FACTS_BY_NAME, JOB_FACTS, Attached, Fact, Planned, Resolved
from ledger.domain.states import OUTCOMES, Outcome


def named(words: str) -> frozenset[type[Fact]]:
    """The facts of these words, which have spaces between them; raises `KeyError` for a word of none."""
    return frozenset(FACTS_BY_NAME[word] for word in words.split())


# Which say how the executor calls the job, as `names_in` reads it.
BINDING = frozenset(fact for fact in JOB_FACTS if fact.model_fields.keys() & {"executor", "external_id", "token"})
ASKING = frozenset({Planned, Attached})  # for entities
NOT_IN_ASKING = named(
    "refused submitted accepted started progressed suspended resumed cancel_requested detached contact_lost "
    "contact_regained closing adopted succeeded failed cancelled abandoned lost resolved disputed late hold_placed "
    "hold_lifted expired"
)


def outcome_of(fact: Fact) -> Outcome | None:
    """The outcome that a fact gives its job; None where it gives none."""
    return fact.outcome if type(fact) is Resolved else OUTCOMES.get(fact.name)
