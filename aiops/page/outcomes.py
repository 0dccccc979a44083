"""What became of earlier proposals: what this run ended or judged, and how each workload fared.

Comes in: a `Report`. Goes out: parts of the page, nothing where there is nothing to tell.
"""

from __future__ import annotations

from aiops.page.document import Followed, Report, Reviewed
from aiops.page.tree import MAX_NAME, Child, Element, el, link, shown
from aiops.page.words import count

MAX_ROWS = 100
_WORDS = (
    ("merged", "merged"), ("edited", "of these edited first"), ("confirmed", "set by hand"),
    ("declined", "declined"), ("closed", "closed by aiops"), ("helped", "helped"),
    ("no_help", "did not help"),
)  # fmt: skip


def sections(report: Report) -> list[Child]:
    """Return the tracking issue, what this run ended, and the last 30 days."""
    return [*_tracked(report), *_followed(report.followed), *_reviewed(report.reviews)]


def right(reviews: tuple[Reviewed, ...]) -> str:
    """Return in words how often a proposal was right, of those that a person decided about."""
    decided = sum(one.merged + one.confirmed + one.declined for one in reviews)
    accepted = sum(one.merged + one.confirmed - one.no_help for one in reviews)
    proposed = sum(one.proposed for one in reviews)
    if not decided:
        return f"{count(proposed, 'proposal')} in 30 days, none decided yet"
    return (
        f"{count(proposed, 'proposal')} in 30 days; of {decided:,} that a person decided about {accepted:,}"
        f" were accepted and not found useless ({accepted / decided:.0%})"
    )


def _tracked(report: Report) -> list[Child]:
    one = report.tracking_issue
    if one is None:
        return []
    name = f"issue {one.number}" if one.number is not None else "issue"
    told = f" says that the whole fleet is held back ({shown(one.state, MAX_NAME)})."
    return [el("p", "The tracking ", link(name, one.url), told)]


def _followed(followed: tuple[Followed, ...]) -> list[Child]:
    items = [
        el("li", el("b", _pull(one)), f" {shown(one.outcome, MAX_NAME)}. {shown(one.comment, 400)}")
        for one in followed[:MAX_ROWS]
    ]
    return [el("h2", "Ended or judged by this run"), el("ul", *items)] if items else []


def _pull(one: Followed) -> Element:
    name = f"pull request {one.number}" if one.number is not None else shown(one.branch, MAX_NAME)
    return link(name, one.url)


def _reviewed(reviews: tuple[Reviewed, ...]) -> list[Child]:
    if not reviews:
        return []
    items = [
        el("li", el("b", shown(str(one.workload), MAX_NAME)), f": {_counted(one)}")
        for one in reviews[:MAX_ROWS]
    ]
    return [el("h2", "What became of earlier proposals"), el("p", f"{right(reviews)}."), el("ul", *items)]


def _counted(one: Reviewed) -> str:
    told = [f"{number:,} {word}" for name, word in _WORDS if (number := getattr(one, name))]
    return ", ".join([f"{one.proposed:,} proposed", *told])
