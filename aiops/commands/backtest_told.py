"""What `aiops backtest` says of a replay to a person: tables and sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from aiops import terminal
from aiops.evaluate import budget
from aiops.evaluate.alerts import Alert, Heard
from aiops.evaluate.backtest import Replay
from aiops.evaluate.budget import WEEK_S, Kept
from aiops.evaluate.ledger import Proposed
from aiops.evaluate.people import Act, Answer, Reply
from aiops.evaluate.verdicts import Ruling, Verdict
from aiops.report import utc

_ANSWERS: dict[Answer, str] = {
    "same": "did the same",
    "other": "did otherwise",
    "none": "let it be",
    "early": "have a day",
}


@dataclass(frozen=True, slots=True)
class Backtest:
    """A replay beside what people did and heard. `heard`: None when alerts could not be read.

    `verdicts`: one for each proposal. `refused`: files among kept plans that are none, and why; None =
    history was replayed. `curve`: what higher thresholds would have left; `a_week`: the proposals that
    somebody wishes to read, None = not said.
    """

    replay: Replay
    replies: tuple[Reply, ...]
    verdicts: tuple[Verdict, ...]
    acts: tuple[Act, ...]
    heard: Heard | None
    refused: tuple[tuple[str, str], ...] | None = None
    curve: tuple[Kept, ...] = ()
    a_week: float | None = None


def show(told: Backtest) -> None:
    """Print proposals, weeks, alerts, and what it comes to in sentences."""
    found, replies = told.replay, told.replies
    rows = [
        (
            str(utc(one.opened_s)),
            str(one.workload),
            one.action,
            f"{one.field} {one.old} -> {one.new}",
            _minutes(one.opened_s - one.onset_s),
            _ended(one),
            _answer(one, reply),
            verdict.ruling,
        )
        for one, reply, verdict in zip(found.proposals, replies, told.verdicts, strict=True)
    ]
    if rows:
        headers = ("OPENED", "WORKLOAD", "ACTION", "CHANGE", "AFTER ONSET", "ENDED", "PEOPLE", "VERDICT")
        terminal.table(headers, [tuple(terminal.plain(cell) for cell in row) for row in rows])
        terminal.say("")
        _weeks(found)
        terminal.say("")
        _actions(told)
        terminal.say("")
    if told.a_week is not None and told.curve:
        _thresholds(told)
        terminal.say("")
    if told.heard is not None and told.heard.alerts:
        _alerts(told.heard)
        terminal.say("")
    for line in _summary(told) + _budget(told) + _heard(told):
        terminal.say(line)


def _weeks(found: Replay) -> None:
    counted = Counter(((one.opened_s - found.start_s) // WEEK_S, one.action) for one in found.proposals)
    rows = []
    for week in range(max(1, -(-(found.end_s - found.start_s) // WEEK_S))):
        row = [counted[week, action] for action in ("rollback", "scale")]
        rows.append((str(utc(found.start_s + week * WEEK_S)), *map(str, row), str(sum(row))))
    terminal.table(("WEEK FROM", "ROLLBACK", "SCALE", "REVIEWS"), rows)


def _actions(told: Backtest) -> None:
    """Print what became of each kind of proposal. Precision: of those that somebody could judge."""
    rows = []
    for action in ("rollback", "scale"):
        places = [at for at, one in enumerate(told.replay.proposals) if one.action == action]
        if not places:
            continue
        said = Counter(told.replies[at].answer for at in places)
        ruled = Counter(told.verdicts[at].ruling for at in places)
        delays = [told.replay.proposals[at].opened_s - told.replay.proposals[at].onset_s for at in places]
        known = len(places) - said["early"]
        cells = (action, str(len(places)), f"{said['same']} of {known}")
        counts = (str(ruled[name]) for name in ("right", "wrong", "unknown"))
        rows.append((*cells, *counts, _precision(ruled), _minutes(int(median(delays)))))
    headers = (
        "ACTION",
        "PROPOSALS",
        "FOLLOWED",
        "RIGHT",
        "WRONG",
        "UNKNOWN",
        "PRECISION",
        "AFTER ONSET",
    )
    terminal.table(headers, rows)


def _precision(ruled: Counter[Ruling]) -> str:
    judged = ruled["right"] + ruled["wrong"]
    return f"{ruled['right'] / judged:.0%}" if judged else "-"


def _thresholds(told: Backtest) -> None:
    """Print what higher thresholds would have left. Verdicts stand beside it, and choose nothing."""
    rows = []
    for one in told.curve:
        ruled = Counter(told.verdicts[at].ruling for at in one.places)
        counts = (str(ruled[name]) for name in ("right", "wrong", "unknown"))
        rows.append((f"{one.threshold:g}", str(len(one.places)), f"{one.a_week:.1f}", *counts))
    terminal.table(("THRESHOLD", "PROPOSALS", "A WEEK", "RIGHT", "WRONG", "UNKNOWN"), rows)


def _budget(told: Backtest) -> list[str]:
    if told.a_week is None:
        return []
    if not told.curve:
        why = "there was no proposal" if not told.replay.proposals else "scores over time are not known"
        return [f"no threshold for {told.a_week:g} proposals a week: {why}"]
    found = budget.meeting(told.curve, told.a_week)
    if found is None:
        least = told.curve[-1]
        return [
            f"no threshold leaves {told.a_week:g} proposals a week: {least.a_week:.1f} fire at any of them"
        ]
    return [
        (
            f"threshold {found.threshold:g} would have left about {found.a_week:.1f} proposals a week,"
            f" at most {told.a_week:g} are wished: `threshold: {found.threshold:g}` in aiops.yaml"
        )
    ]


def _alerts(heard: Heard) -> None:
    """Print a row for each severity: which of them page is a habit of the house."""
    by_severity: dict[str, list[Alert]] = defaultdict(list)
    for one in heard.alerts:
        by_severity[one.severity or "-"].append(one)
    rows = []
    for severity, alerts in sorted(by_severity.items()):
        met = [one.ahead_s for one in alerts if one.ahead_s is not None]
        right = sum(one.right for one in alerts)
        cells = (severity, str(len(alerts)), str(len(met)), str(right), _ahead(met) if met else "-")
        rows.append(tuple(terminal.plain(cell) for cell in cells))
    terminal.table(("ALERT SEVERITY", "FIRED", "PROPOSED", "RIGHT", "PROPOSAL (MEDIAN)"), rows)


def _ahead(seconds: Sequence[int]) -> str:
    middle = int(median(seconds))
    return f"{_minutes(abs(middle))} {'later' if middle < 0 else 'earlier'}"


def _heard(told: Backtest) -> list[str]:
    heard = told.heard
    if heard is None:
        return []
    left_out = f"; {heard.unplaced} more name no workload" if heard.unplaced else ""
    if not heard.alerts:
        return [f"no recorded alert of this span names a workload{left_out}"]
    met = [one.ahead_s for one in heard.alerts if one.ahead_s is not None]
    right = sum(one.right for one in heard.alerts)
    when = f", {_ahead(met)} (median)" if met else ""
    followed = f", {right} had one that people followed{left_out}"
    return [
        f"{len(heard.alerts)} alerts named a workload; {len(met)} had a proposal{when}" + followed,
        f"{len(heard.unheard)} of {len(told.replies)} proposals were about a time without such an alert",
    ]


def _summary(told: Backtest) -> list[str]:
    found, replies, acts = told.replay, told.replies, told.acts
    weeks = (found.end_s - found.start_s) / WEEK_S
    count = len(found.proposals)
    rate = f", {count / weeks:.1f} a week" if weeks else ""
    lines = [
        (
            f"{found.runs} {'runs' if told.refused is None else 'plans'} from {utc(found.start_s)}"
            f" to {utc(found.end_s)}, {found.looked} had to decide"
        ),
    ]
    if found.unusable:
        what = "of them" if found.unusable < found.runs else "of this span"
        lines.append(f"{found.unusable} of {found.runs} runs without usable data: nothing can be said {what}")
    if found.unusable < found.runs or count:
        lines.append(f"{count} proposals{rate}: so many reviews it would have cost")
    if count:
        said = Counter(reply.answer for reply in replies)
        answers = ", ".join(f"{said[name]} x {text}" for name, text in _ANSWERS.items() if said[name])
        known = count - said["early"]
        share = f"; precision against them {said['same'] / known:.0%} of {known}" if known else ""
        lines.append(f"people within a day: {answers}{share}")
        over = [
            one.ended_s - one.opened_s for one in found.proposals if one.ended_s and one.outcome == "over"
        ]
        half = f", half of them within {_minutes(int(median(over)))}" if over else ""
        lines.append(f"{len(over)} ended by themselves while nobody merged{half}")
        ruled = Counter(one.ruling for one in told.verdicts)
        judged = ruled["right"] + ruled["wrong"]
        told_share = f"; precision {_precision(ruled)} of {judged}" if judged else ""
        lines.append(
            f"people and recovery: {ruled['right']} right, {ruled['wrong']} wrong,"
            f" {ruled['unknown']} unknown{told_share}"
        )
        lines.append(
            f"opened {_minutes(int(median([one.opened_s - one.onset_s for one in found.proposals])))}"
            " after the onset (median)"
        )
    if acts:
        met = [act.ahead_s for act in acts if act.ahead_s is not None]
        when = f", {_minutes(int(median(met)))} earlier (median)" if met else ""
        lines.append(f"people rolled back {len(acts)} times; {len(met)} had that proposal before{when}")
    return lines


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3_600 else f"{seconds / 3_600:.1f} h"


def _ended(one: Proposed) -> str:
    if one.ended_s is None:
        return "still open"
    return f"{one.outcome} after {_minutes(one.ended_s - one.opened_s)}"


def _answer(one: Proposed, reply: Reply) -> str:
    if reply.at_s is None:
        return _ANSWERS[reply.answer]
    return f"{_ANSWERS[reply.answer]} ({reply.value}) after {_minutes(reply.at_s - one.opened_s)}"
