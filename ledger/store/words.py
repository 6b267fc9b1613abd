"""What an error of the database is told as: by its SQLSTATE, and where that says too little by its words."""

from ledger.errors import (
    AccessDenied,
    DatabaseAway,
    DiskFull,
    IntegrityFailure,
    LedgerError,
    SchemaMissing,
    Unavailable,
)

TOO_MANY = "53300"  # too many connections: the server lives
NO_RIGHT = "42501"
NOT_IN_STATE = "55000"  # something is asked of an object that it cannot do as it is

_BY_STATE: dict[str, tuple[type[LedgerError], str]] = {
    "28P01": (AccessDenied, "The database refuses this password; check JOBLEDGER_DSN or PGPASSWORD"),
    "28000": (AccessDenied, "The database refuses this user; check JOBLEDGER_DSN or PGUSER"),
    "42501": (
        AccessDenied,
        "The database role lacks a right; grant it the role of the ledger that has it",
    ),
    TOO_MANY: (
        DatabaseAway,
        "The database takes no more connections; open ledgers with a smaller pool, or raise its max_connections",
    ),
    "53100": (DiskFull, "The database has no room left on its disk; make room and repeat"),
    "3D000": (DatabaseAway, "There is no such database; create it or check JOBLEDGER_DSN"),
    "42P01": (SchemaMissing, "The database has no ledger of this release; run jobledger migrate"),
    "3F000": (SchemaMissing, "The database has no ledger of this release; run jobledger migrate"),
    "25006": (DatabaseAway, "The database takes no writes; connect to the primary"),
    "57014": (Unavailable, "The database ended a statement, as statement_timeout or somebody has it; repeat it"),
    "25P04": (
        DatabaseAway,
        "The database ended a transaction that took longer than its transaction_timeout; repeat it",
    ),
    "25P03": (DatabaseAway, "The database ended a transaction of a process that stood still; repeat it"),
    "57P05": (DatabaseAway, "The database ended a session of a process that stood still; repeat it"),
    "55P03": (Unavailable, "A lock was waited for as long as may be; try again"),
}

_LIMIT = "; open ledgers with a smaller pool, or raise"
_BY_WORDS: dict[str, dict[str, tuple[type[LedgerError], str]]] = {
    TOO_MANY: {
        "too many connections for role": (
            DatabaseAway,
            f"The role takes no more connections, as its CONNECTION LIMIT has it{_LIMIT} that by ALTER ROLE",
        ),
        "too many connections for database": (
            DatabaseAway,
            f"The database takes no more connections, as its CONNECTION LIMIT has it{_LIMIT} that by ALTER DATABASE",
        ),
        "no more connections allowed": (
            DatabaseAway,
            f"The pooler takes no more connections{_LIMIT} its max_client_conn",
        ),
    },
    NO_RIGHT: {
        "must be owner of": (
            AccessDenied,
            "Only whoever owns it may change it; let him drop it, or give it to the owner of the ledger",
        ),
    },
    NOT_IN_STATE: {
        'currval of sequence "append_time"': (
            IntegrityFailure,
            "The trigger place_append, which gives what is appended its time, is missing or off; run jobledger migrate",
        ),
    },
}
READ_ONLY_BY_SETTING = (
    "The database takes no writes of this session, since default_transaction_read_only is on for its role, database or "
    "server; switch that off, or write as another role"
)


def find_words(state: str | None, sentence: str) -> tuple[type[LedgerError], str] | None:
    """The class of an error and what it is told as, by its SQLSTATE and the database's own sentence."""
    if state is None:
        return None
    for words, told in _BY_WORDS.get(state, {}).items():
        if words in sentence:
            return told
    return _BY_STATE.get(state)
