"""What a person sees: progress on stderr, tables and pull requests on stdout.

Pleasant on a terminal, plain in a pipe: no colour, no control characters, no wrapping. Texts from
metrics never carry markup: everything is printed as `Text`, never as rich's mark-up. Nor do they drive a
terminal, or the runner of a CI job that reads its log for commands.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from aiops.domain import DriftWatch, Hold, Outlook, PlanItem, Verdict
from aiops.job import Progress, Result
from aiops.propose.reviews import Review
from aiops.report import reason, utc

if TYPE_CHECKING:
    from rich.console import Console

MAX_TEXT = 300  # characters of a foreign text
PIPE_WIDTH = 10_000  # in a pipe a line is a record: never wrap it
# GitHub's runner obeys a line that starts with `::name`, and the older `##[name]` anywhere in one.
_COMMAND = re.compile(r"(?m)^(\s*):(?=:)|#(?=#\[)")
_STYLES = {
    "anomalous": "bold red",
    "healthy": "green",
    "learning": "cyan",
    "no-data": "yellow",
    "error": "bold red",
    "rollback": "bold",
    "scale": "bold",
}


def console(*, stderr: bool = False) -> Console:
    """Return a console that respects `NO_COLOR` and does not wrap in a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False, soft_wrap=True)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Show the current stage: a spinner on a terminal, one line a stage in a pipe."""
    shown = console(stderr=True)
    if quiet:
        yield lambda _: None
    elif shown.is_terminal:
        with shown.status("starting") as status:
            yield status.update
    else:
        yield lambda text: shown.print(shielded(f"aiops: {text}"))


def say(text: str, *, stderr: bool = False) -> None:
    """Print plain text, whatever it holds."""
    console(stderr=stderr).print(shielded(text))


def line(text: str, *, stderr: bool = False) -> None:
    """Print one line, after an empty one where the text begins with a line end; whatever it holds.

    A line of theirs would read as one of ours: a label that ends a line is shown as it is written in JSON.
    """
    say(text[:1] + text[1:].replace("\n", "\\u000a"), stderr=stderr)


def document(found: Mapping[str, Any]) -> None:
    """Print the one JSON document of a command: with `--format json` stdout holds that and nothing else.

    Raises ValueError for NaN: what is not known is null.
    """
    sys.stdout.write(shielded(json.dumps(found, indent=1, allow_nan=False)) + "\n")


def shielded(text: str) -> str:
    """Return a text of ours with foreign words in it that is no command to whoever reads it.

    The escapes are those of JSON, so that a document stays the same document.
    """
    seen = "".join(char if char.isprintable() or char in "\n\t" else f"\\u{ord(char):04x}" for char in text)
    return _COMMAND.sub(lambda found: f"{found[1] or ''}\\u{ord(found[0][-1]):04x}", seen)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns; known words (verdicts, actions) carry a colour on a terminal."""
    from rich.table import Table
    from rich.text import Text

    out = console()
    rows = [[_visible(cell) for cell in row] for row in rows]
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, header in enumerate(headers):
        last = index == len(headers) - 1
        grid.add_column(header, no_wrap=not last, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    if out.is_terminal:
        out.print(grid)
        return
    widths = [max(len(row[i]) for row in (headers, *rows)) for i in range(len(headers))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headers, *rows)
    ]
    out.print(shielded("\n".join(lines)))


def plain(text: str) -> str:
    """Return a foreign text, shortened, that cannot drive the reader's terminal."""
    return _visible(text[:MAX_TEXT])


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def result(found: Result) -> None:
    """Print what a run saw and decided: all workloads, the worst first."""
    items = {item.workload: item for item in found.plan.items}
    order = list(Verdict)
    rows = []
    for incident in sorted(
        found.incidents, key=lambda one: (order.index(one.verdict), -(one.score or 0.0), one.workload)
    ):
        item, sent = items.get(incident.workload), found.sent.get(incident.workload)
        rows.append(
            (
                str(incident.workload),
                incident.verdict.value,
                "-" if incident.score is None else f"{incident.score:.1f}",
                incident.scorer,
                _action(item),
                reason(item, sent),
            )
        )
    touched = f", {found.samples:,} samples read" if found.samples else ""
    say(f"{len(rows)} workloads as of {utc(found.plan.data_time_s)}{touched}\n")
    table(("WORKLOAD", "VERDICT", "SCORE", "SCORER", "DECISION", "REASON"), rows)
    _drift(found.drift)
    _outlook(found.outlook)
    for one in found.followed:
        line(f"\npull request {one.pull.number}: {one.outcome}{f', {one.pull.url}' if one.pull.url else ''}")
        if one.comment:
            line(f"  {one.comment}")
    _reviewed(found.reviews)
    for guardrail in found.guardrails:
        if guardrail.tripped:
            line(f"\nguardrail {guardrail.id} tripped: {guardrail.value} (limit {guardrail.limit})")
    if found.tracked is not None:
        at = f": {found.tracked.issue.url}" if found.tracked.issue.url else ""
        line(f"\ntracking issue {found.tracked.state}{at}")
    for workload, what, why in found.unresolved:
        line(f"\nunresolved: {workload} {what}: {why}")
    for notice in found.notices:
        line(f"note: {notice}", stderr=True)
    for error in found.errors:
        line(f"error: {error}", stderr=True)


def _reviewed(reviews: Sequence[Review]) -> None:
    """Print in a line what people made of the proposals of the last 30 days."""
    if not reviews:
        return
    names = ("proposed", "merged", "confirmed", "declined", "helped", "no_help")
    total = {name: sum(getattr(one, name) for one in reviews) for name in names}
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in total.items() if count)
    line(f"\nproposals of the last 30 days: {told}")


def _outlook(coming: Sequence[Outlook]) -> None:
    """Print what reaches its bound if it goes on, and the certificates that have ended already."""
    for ahead in coming:
        where = "/".join(part for part in (ahead.cluster, ahead.namespace, ahead.subject) if part)
        if ahead.what == "certificate" and ahead.value <= 0:
            line(f"\nended: certificate {where} at {utc(ahead.breach_s)}, and it is not renewed")
            continue
        line(
            f"\npredicted: {ahead.what} of {where} reaches {ahead.bound:.4g} {ahead.unit}"
            f" at {utc(ahead.breach_s)} if it goes on, now {ahead.value:.4g}"
        )


def _drift(watches: Sequence[DriftWatch]) -> None:
    """Print what drifts, and that nobody can tell where the metrics do not reach back far enough."""
    for watch in watches:
        for one in watch.drifts:
            line(
                f"\ndrift: {watch.workload} {one.signal} {one.per_day:+.1%} a day since {utc(one.since_s)}: "
                f"{one.old:.4g} -> {one.new:.4g} {one.unit}"
            )
    if watches and not any(watch.watched for watch in watches):
        longest = max(watch.days for watch in watches)
        compared = "the first and the last of four weeks are compared"
        line(f"\ndrift: not watched, {longest} days of history where {compared}")


def pulls(found: Result, *, bodies: bool = False) -> None:
    """Print one block for each pull request: what it changes and where it is."""
    for _, sent in sorted(found.sent.items()):
        if sent.pull is None or sent.proposal is None:
            continue
        line(f"\n{sent.state}: {sent.proposal.title}")
        for edit in sent.proposal.edits:
            line(f"  {edit.file}  {edit.path_text}: {edit.old} -> {edit.new}")
        line(f"  branch {sent.proposal.branch}")
        if sent.pull.url:
            line(f"  {sent.pull.url}")
        if bodies:
            say(f"\n{sent.proposal.body}")
    if bodies and found.tracked is not None:
        say(f"\n{found.tracked.issue.title}\n\n{found.tracked.issue.body}")


def explain(item: PlanItem, *, stderr: bool = False) -> None:
    """Print the whole trace of one decision: signals, evidence, each rule asked and its answer."""
    tell = partial(line, stderr=stderr)
    incident, diagnosis, decision = item.incident, item.diagnosis, item.decision
    tell(
        f"\n{incident.workload}: {incident.state} since {utc(incident.onset_s)}, scored by {incident.scorer}"
    )
    if incident.familiar is not None:
        tell(f"  familiar  {incident.familiar.reason}")
    for breach in incident.signals:
        tell(
            f"  signal    {breach.signal} {breach.observed:.4g} {breach.unit}, "
            f"expected {breach.expected:.4g}, score {breach.score:.1f}, since {utc(breach.onset_s)}"
        )
    for name, evidence in (("for", diagnosis.evidence), ("against", diagnosis.against)):
        for one in evidence:
            value = "" if one.value is None else f": {one.value:.4g} {one.unit}"
            tell(f"  {name:<9} {one.claim}{value}")
    for other in diagnosis.ruled_out:
        tell(f"  ruled out {other}")
    if diagnosis.place:
        tell(f"  place     {diagnosis.place}")
    for asked in diagnosis.trace:
        tell(f"  rule      {asked.rule} {'yes' if asked.holds else 'no '} {asked.answer}")
    for gate in item.gates:
        tell(f"  gate      {gate.rule} {'holds ' if gate.holds else 'passes'} {gate.answer}")
    if diagnosis.missing:
        tell(f"  not known {', '.join(diagnosis.missing)}")
    change = "" if isinstance(decision, Hold) else f" {decision.field} {decision.old} -> {decision.new}"
    tell(f"  decision  {decision.action}{change} by {decision.rule}: {decision.reason}")


def _action(item: PlanItem | None) -> str:
    return item.decision.action if item else "-"
