COPY history.entries (
    position, recorded_at, occurred_at, event, job, parent, type, actor, owner, executor, outcome, seconds,
    held, expired, disputed, cancel_requested, contact_lost, residue, verdict, words
) FROM STDIN
