"""Proof that history was not altered: seal, verify, export, verify-export."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.service.cli import moments, output
from ledger.service.cli.moments import LAST, After, as_option, seconds
from ledger.service.cli.output import Form, Output
from ledger.service.cli.records import said
from ledger.service.wire import parse_position

if TYPE_CHECKING:
    from ledger.domain.cursor import Cursor
    from ledger.integrity.audit import Audit
    from ledger.integrity.claims import Against
    from ledger.integrity.findings import Finding, Report
    from ledger.integrity.keyfile import KeyFile
    from ledger.integrity.sealer import Sealed, Sealer
    from ledger.integrity.verify import JobProof
    from ledger.store.seals import SealTable

INTEGRITY = 6
GAPS_SHOWN = 20

VerifierKeys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="KEY|FILE", help="A verifier key, or a file with one a line, that is trusted."),
]


def seal(
    key: Annotated[Path | None, typer.Option(help="The file of the signing key; made where there is none.")] = None,
    every: Annotated[
        float, typer.Option(min=0.1, callback=seconds, help="With --follow: seal each so many seconds.")
    ] = 10.0,
    form: Output = Form.TABLE,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Go on, whatever is recorded.")] = False,
    rotate: Annotated[bool, typer.Option("--rotate", help="Let a new key come in the place of this one.")] = False,
    replace_lost_key: Annotated[
        bool, typer.Option("--replace-lost-key", help="Begin with a key that no other speaks for.")
    ] = False,
    accept: Annotated[
        int | None,
        typer.Option(min=1, max=LAST, metavar="POSITION", help="Say that this break was looked at."),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="With --accept: what was found.")] = None,
    actor: Annotated[str | None, typer.Option(help="With --accept: who looked.")] = None,
) -> None:
    """Sign what is recorded, and print the checkpoint.

    Keep checkpoints elsewhere: they show that nothing before them was altered since, whoever holds the key.
    Exit 6 where a row breaks a promise of the ledger: what comes before is signed, the rest once that is accepted.
    """
    from ledger.integrity.sealer import Sealer
    from ledger.service.sealing import key_file
    from ledger.service.sealroom import open_room

    if follow + rotate + replace_lost_key + (accept is not None) > 1:
        raise typer.BadParameter("Follow, rotate, replace a lost key or accept a break, one at a time.")
    if (accept is None) != (reason is None) or (actor is not None and accept is None):
        raise typer.BadParameter("A break is accepted with a reason: say --accept POSITION --reason TEXT.")
    file = key_file(key)
    room = open_room(sealing=True)
    sealer = Sealer(room, file)
    if accept is not None:
        _accept(room, accept, said(actor, reason))
    if follow:
        _follow(sealer, file, every, form)
    elif rotate:
        _print_sealed(sealer.rotate(), file, form)
    elif replace_lost_key:
        _print_sealed(sealer.replace_lost_key(), file, form)
    else:
        _seal(sealer, file, form)


def _seal(sealer: "Sealer", file: "KeyFile", form: Form) -> None:
    """Seal, and print what could be sealed, even where a row breaks a promise."""
    from ledger.integrity.sealer import broken

    done = sealer.seal_sound()
    _print_sealed(done, file, form)
    if done.broken is not None:
        raise broken(done.broken)


def _accept(room: "SealTable", position: int, who: Any) -> None:
    from ledger.integrity.accepting import acceptance
    from ledger.service.assembly import assemble
    from ledger.service.readiness import admin_conninfo
    from ledger.service.settings import find_database

    record = acceptance(room, position)
    with assemble(admin_conninfo(find_database())) as ledger:  # as who may both write and seal
        receipt = ledger.record(record | who)
    was = "is" if receipt.disposition == "recorded" else "was"
    output.note(f"The break at position {position:,}, of {record['promise']}, {was} accepted at {receipt.position:,}.")


def _follow(sealer: "Sealer", file: "KeyFile", every: float, form: Form) -> None:
    for done in sealer.follow(every):
        _print_sealed(done, file, form)


def _events(done: "Sealed") -> int:
    """How many events were sealed; a gap is a position without one."""
    return done.events - sum(last - first + 1 for first, last in done.gaps)


def _print_sealed(done: "Sealed", file: "KeyFile", form: Form) -> None:
    from ledger.integrity.known import name_gap

    key = file.verifier()
    if form is Form.TABLE:
        output.print_exact(str(done.signed.note))
        if done.new_key:
            output.note(f"The signing key is in {file.path}; keep it from whoever owns the database.")
        output.note(f"{_events(done):,} events sealed, {done.signed.size:,} in all; verify with --key {key}")
        for first, last in done.gaps[:GAPS_SHOWN]:
            output.note(f"{name_gap(first, last)} is sealed so, as a gap that is known.")
    else:
        output.print_json(
            {
                "events": _events(done),
                "gaps": [list(gap) for gap in done.gaps],
                "size": done.signed.size,
                "checkpoint": str(done.signed.note),
                "key": str(key),
                "key_file": str(file.path),
                "new_key": done.new_key,
            }
        )
        sys.stdout.flush()


def verify(
    key: VerifierKeys = None,
    from_: Annotated[int, typer.Option("--from", min=1, max=LAST, help="The first position to look at.")] = 1,
    to: Annotated[int | None, typer.Option("--to", min=1, max=LAST, help="The last position to look at.")] = None,
    checkpoint: Annotated[
        str | None, typer.Option(metavar="FILE|SIZE", help="Against this checkpoint instead of all.")
    ] = None,
    extends: Annotated[
        str | None, typer.Option(metavar="FILE|SIZE", help="Prove that the checkpoint begins with this older one.")
    ] = None,
    job: Annotated[str | None, typer.Option(help="Prove that the events of this job are what was sealed.")] = None,
    form: Output = Form.TABLE,
) -> None:
    """Hold what is stored against what was signed; nothing is written.

    Exit 6 where something was altered: the first position that is not as it was sealed is named, and what differs.
    """
    from ledger.integrity.verify import Verifier
    from ledger.service.sealing import find_trust
    from ledger.service.sealroom import open_room

    if (job is not None) + (extends is not None) + (from_ > 1 or to is not None) > 1:
        raise typer.BadParameter("Ask for a range, a job or an older checkpoint, one at a time.")
    if to is not None and to < from_:
        raise typer.BadParameter(
            f"The last position must not come before the first, which is {from_}.", param_hint="--to"
        )
    room = open_room()
    trust, kept = find_trust(key or ())
    verifier = Verifier(room, trust, kept)
    against = _against(checkpoint)
    if job is not None:
        _print_job_proof(verifier.prove_job(job, against), form)
    elif extends is not None:
        proof = verifier.prove_consistency(_against(extends), against)
        sentence = f"The checkpoint over {proof.new.size:,} events begins with that over {proof.old.size:,}."
        _print_proofs(proof.as_json(), proof.findings, form, sentence)
    else:
        report = verifier.verify(from_, to, against)
        _print_report(report, form, "the newest checkpoint" if against is None else "that checkpoint")
        raise typer.Exit(0 if report.ok else INTEGRITY)


def _print_job_proof(proof: "JobProof", form: Form) -> None:
    """The proofs of a job; raises where there is nothing to prove, so that nobody takes that for a proof."""
    from ledger.errors import JobNotFound, NotSealed

    if not (proof.proofs or proof.findings or proof.unsealed):
        raise JobNotFound(f"No event speaks of job {proof.job}.", job=proof.job)
    if not (proof.proofs or proof.findings):
        raise NotSealed(
            f"No event of job {proof.job} was sealed by then; run jobledger seal.", size=proof.checkpoint.size
        )
    proved = output.counted(len(proof.proofs), "event")
    verb = "is" if len(proof.proofs) == 1 else "are"
    _print_proofs(proof.as_json(), proof.findings, form, f"{proved} of {proof.job} {verb} what was sealed.")
    if proof.unsealed and form is Form.TABLE:
        output.note(
            f"{output.counted(len(proof.unsealed), 'event')} of it came after the checkpoint, and nothing proves that."
        )


def _against(named: str | None) -> "Against":
    from ledger.service.sealing import read_checkpoint_file

    if named is None:
        return None
    if named.isascii() and named.isdigit():
        with as_option():
            return parse_position(named)
    return read_checkpoint_file(Path(named))


def _print_proofs(answer: dict[str, Any], findings: "Sequence[Finding]", form: Form, sentence: str) -> None:
    if form is not Form.TABLE:
        output.print_json(answer)
    elif findings:
        _print_findings(findings)
    else:
        output.say(sentence)
    if findings:
        raise typer.Exit(INTEGRITY)


def _print_findings(findings: "Iterable[Finding]") -> None:
    rows = ((str(finding.position or "–"), str(finding.kind), finding.sentence) for finding in findings)
    output.print_table(("position", "kind", "finding"), rows)


def _print_report(report: "Report", form: Form, checkpoint: str) -> None:
    if form is not Form.TABLE:
        output.print_json(report.as_json())
        return
    first, last = report.checked
    if report.ok:
        output.say(
            f"Positions {first:,} to {last:,} are what was sealed: {report.size:,} events under {report.origin}."
        )
    else:
        _print_findings(report.findings)
        more = f", and {report.more:,} more" if report.more else ""
        bad = f"; the first position that is not as it was sealed is {report.first_bad:,}" if report.first_bad else ""
        count = len(report.findings)
        output.say(f"{output.counted(count, 'finding')}{more}{bad}.")
    for sentence in report.known:
        output.note(f"Known: {sentence}")
    if report.unsealed:
        output.note(f"{output.counted(report.unsealed, 'event')} came after {checkpoint}, which says nothing of that.")
    output.note(f"Trusted: {report.trust}.")


def export(
    which: Annotated[str | None, typer.Argument(metavar="FILTER", help="Only events that `history` finds.")] = None,
    after: After = None,
    upto: Annotated[int | None, typer.Option(min=1, max=LAST, help="Only events up to this position.")] = None,
    job: Annotated[list[str] | None, typer.Option(help="Only events of this job; may be said again.")] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR|FILE", help="Write them there with proofs; .gz is packed.")
    ] = None,
) -> None:
    """Write events as transition records, a line each, in the order of the ledger; `import` reads them back.

    With --to each line also has the row that it was, and proofs that verify-export checks without a database.
    """
    place = moments.place(after)
    if place is not None and place.event_id is not None:
        _check_place(place)
    if to is not None:
        _export_to(to, which, place or 0, upto, job or ())
    else:
        output.print_jsonl(_records(which, place or 0, upto, job or ()))


def _check_place(place: "Cursor") -> None:
    from ledger import open_ledger

    with open_ledger() as ledger:
        ledger.check_place(place)


def _records(which: str | None, after: int, upto: int | None, jobs: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The records alone, without what proves them."""
    from ledger.integrity.export import Export

    with _selected(which, after, upto, jobs) as (seals, positions, words):
        yield from Export(seals, _transcribe(), positions, words).records()


@contextmanager
def _selected(
    which: str | None, after: int, upto: int | None, jobs: Sequence[str]
) -> Iterator[tuple[Any, Any, str | None]]:
    """A snapshot, the positions in it that are asked for (None for all), and the question in words."""
    from ledger import open_ledger
    from ledger.integrity.selection import select
    from ledger.service.sealroom import open_room

    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger()) if which else None
        search = ledger.search(which or "", tell=output.catching_up("The view history is")) if ledger else None
        seals = stack.enter_context(open_room().reading())
        positions, words = select(seals, after, upto, jobs, search)
        yield seals, positions, words


def _transcribe() -> Any:
    from ledger.records.transcript import transcribe

    return transcribe


def _export_to(to: Path, which: str | None, after: int, upto: int | None, jobs: Sequence[str]) -> None:
    from ledger.integrity.export import Export
    from ledger.service.exportfile import write_export

    with _selected(which, after, upto, jobs) as (seals, positions, words):
        export = Export(seals, _transcribe(), positions, words)
        path = write_export(to, export)
    done = export.exported
    output.note(f"{done.count:,} events are in {path}.")
    if done.unsealed or done.checkpoint is None:
        output.note(f"{done.unsealed:,} of them are not sealed, and nothing proves them; jobledger seal seals them.")


def verify_export(
    file: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="An export, plain or .gz.")],
    key: VerifierKeys = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An older checkpoint that was kept elsewhere.")
    ] = None,
    form: Output = Form.TABLE,
) -> None:
    """Check an export without a database: with the public key alone.

    Exit 0 where every event is proved, 1 where some are not sealed, 6 where something was altered.
    """
    from ledger.integrity.audit import Auditor
    from ledger.service.cli.source import open_source
    from ledger.service.exportfile import find_export
    from ledger.service.sealing import named_trust, read_checkpoint_file

    kept = read_checkpoint_file(checkpoint) if checkpoint else None
    auditor = Auditor(named_trust(key or ()), _transcribe(), kept)
    with ExitStack() as stack:
        audit = auditor.audit(open_source(str(find_export(file)), stack).whole())
    if form is Form.TABLE:
        _print_audit(audit)
    else:
        output.print_json(audit.as_json())
    raise typer.Exit(INTEGRITY if audit.findings else 0 if audit.ok else 1)


def _print_audit(audit: "Audit") -> None:
    if audit.findings:
        _print_findings(audit.findings[:20])
    for sentence in audit.proves:
        output.say(f"Proved: {sentence}")
    for sentence in audit.cannot:
        output.say(f"Not proved: {sentence}")
    output.note(f"Trusted: {audit.trust}.")
