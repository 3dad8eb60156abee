"""Checks a ledger's file: every record's hash, every checkpoint, and what witnesses were told.

Reads the stored bytes with SQLite alone, so that neither a driver's idea of them nor the ledger's own packages come
between. JSON is not parsed, except the checkpoints'.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hostseal.core import chain, checkpoint
from hostseal.core.chain import Head
from hostseal.errors import CheckpointError, LedgerError
from hostseal.ledger import links
from hostseal.ledger.links import Finding, Trouble
from hostseal.ledger.witness import Told

_SHARE = 50_000


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked: `signed` is how many records the newest valid checkpoint covers; findings by position."""

    ledger: str
    head: Head
    checkpoints: int
    signed: int
    witnessed: int
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify(
    path: Path,
    keys: Mapping[str, Ed25519PublicKey],
    told: Sequence[Told],
    *,
    processes: int | None = None,
    share: int = _SHARE,
) -> Report:
    """Return what is found in the ledger at `path`; LedgerError when it cannot be read at all.

    `keys` are the checkpoint keys by id, `told` what witnesses were told. A long chain is checked in several
    processes (by default one a processor), each a part of it of at least `share` records.
    """
    try:
        with links.opened(path) as db:
            ledger = _ledger_id(db)
            count, last = links.tail(db)
            stored = [bytes(row[0]) for row in db.execute("SELECT body FROM checkpoints ORDER BY count")]
            damage = links.damage(db)
    except sqlite3.DatabaseError as error:
        nothing = Head(count=0, hash="")
        found = (links.damaged(error),)
        return Report(ledger="", head=nothing, checkpoints=0, signed=0, witnessed=0, findings=found)
    head = Head(count=count, hash=(last or chain.genesis(ledger)).hex())
    findings = [*damage, *_chain(path, ledger, count, min(processes or os.cpu_count() or 1, count // share))]
    claims, bad = _claims(stored, keys, ledger)
    with links.opened(path) as db:
        findings += bad
        findings += _compared(db, claims, head)
        findings += _witnessed(db, told, keys, ledger, head)
    if count and not claims:
        findings.append(
            Finding(trouble=Trouble.UNSIGNED, position=0, says="no checkpoint holds: nothing is signed")
        )
    return Report(
        ledger=ledger,
        head=head,
        checkpoints=len(claims),
        signed=max((claim.count for claim in claims if claim.count <= count), default=0),
        witnessed=len(told),
        findings=tuple(sorted(findings, key=lambda finding: finding.position)[: links.MOST]),
    )


def _ledger_id(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT value FROM meta WHERE key = 'ledger'").fetchone()
    if row is None:
        raise LedgerError("the ledger has no id", hint="is this a ledger?")
    return bytes(row[0]).decode("utf-8", "replace")


def _chain(path: Path, ledger: str, count: int, parts: int) -> list[Finding]:
    """Check all records, in parts that each begin with the stored hash before them."""
    if parts <= 1:
        return links.check(path, ledger, 0, None)
    bounds = [count * part // parts for part in range(parts)]
    ends: list[int | None] = [*bounds[1:], None]
    with ProcessPoolExecutor(parts, mp_context=get_context("fork")) as pool:
        jobs = [
            pool.submit(links.check, path, ledger, begin, end)
            for begin, end in zip(bounds, ends, strict=True)
        ]
        return [finding for job in jobs for finding in job.result()]


def _claims(
    stored: Sequence[bytes], keys: Mapping[str, Ed25519PublicKey], ledger: str
) -> tuple[list[checkpoint.Claim], list[Finding]]:
    claims: list[checkpoint.Claim] = []
    bad: list[Finding] = []
    for number, body in enumerate(stored, 1):
        try:
            claim = _claim(body, keys, ledger)
        except CheckpointError as error:
            bad.append(
                Finding(trouble=Trouble.CHECKPOINT, position=0, says=f"checkpoint {number}: {error.message}")
            )
        else:
            claims.append(claim)
    return claims, bad


def _claim(body: bytes, keys: Mapping[str, Ed25519PublicKey], ledger: str) -> checkpoint.Claim:
    try:
        raw = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise CheckpointError(f"this is not a checkpoint: {error}") from error
    claim = checkpoint.check(raw, dict(keys))
    if claim.ledger != ledger:
        raise CheckpointError(f"it is of another ledger, {claim.ledger}")
    return claim


def _compared(db: sqlite3.Connection, claims: Sequence[checkpoint.Claim], head: Head) -> Iterator[Finding]:
    for claim in claims:
        yield from _fits(db, claim.count, claim.hash, head, f"the checkpoint of {claim.time}")
    for earlier, later in pairwise(claims):
        if earlier.time > later.time:
            says = f"the checkpoint over {later.count} records is older than the one over {earlier.count}"
            yield Finding(trouble=Trouble.CHECKPOINT, position=later.count, says=says)


def _witnessed(
    db: sqlite3.Connection,
    told: Sequence[Told],
    keys: Mapping[str, Ed25519PublicKey],
    ledger: str,
    head: Head,
) -> Iterator[Finding]:
    for one in told:
        if one.line.ledger != ledger:
            says = f"{one.place} was told by another ledger, {one.line.ledger}"
            yield Finding(trouble=Trouble.WITNESS, position=0, says=says)
            continue
        yield from _fits(db, one.line.head.count, one.line.head.hash, head, one.place)
        if one.line.checkpoint is not None:
            try:
                claim = checkpoint.check(one.line.checkpoint, dict(keys))
            except CheckpointError as error:
                yield Finding(trouble=Trouble.WITNESS, position=0, says=f"{one.place}: {error.message}")
            else:
                yield from _fits(db, claim.count, claim.hash, head, f"{one.place}, its checkpoint")


def _fits(db: sqlite3.Connection, count: int, hash_: str, head: Head, who: str) -> Iterator[Finding]:
    if count > head.count:
        says = f"records {head.count + 1} to {count} are gone: {who} knows of them"
        yield Finding(trouble=Trouble.CUT, position=head.count + 1, says=says)
    elif count and links.hash_at(db, count) != hash_:
        says = f"record {count} is not the one that {who} knows: the chain was written anew before it"
        yield Finding(trouble=Trouble.REWRITTEN, position=count, says=says)
