"""The step summary of a CI job: a few lines of Markdown that GitHub and GitLab show.

Every foreign word goes through the same escaping as the body of a pull request.
"""

from __future__ import annotations

from aiops.page import backtest, outcomes
from aiops.page.document import Report
from aiops.page.page import headline
from aiops.page.replayed import Backtest
from aiops.page.tree import is_web
from aiops.page.words import count, moment, rated, worst_first
from aiops.propose import inert

MAX_ROWS = 30


def markdown(report: Report) -> str:
    """Return the summary: one sentence, then the workloads that are not healthy, worst first."""
    judged = worst_first(report.workloads)
    told = [one for one in judged if one.incident is not None]
    listed = [one for one in judged if one.verdict != "healthy" or one.incident is not None]
    lines = [
        f"### aiops: {headline(report, told)}",
        "",
        f"{count(len(judged), 'workload')} as of {moment(report.at)}, exit code {report.exit_code}.",
        "",
    ]
    told_errors = [f"{error.where} {error.message}" for error in report.errors[:MAX_ROWS]]
    lines += [f"- error: {inert.prose(text)}" for text in told_errors]
    lines += [f"- earlier: {outcomes.right(report.reviews)}"] if report.reviews else []
    if listed:
        lines += ["", "| workload | verdict | score | decision | why |", "|---|---|---:|---|---|"]
    for one in listed[:MAX_ROWS]:
        decision = one.decision.action if one.decision else "-"
        pull = one.pull_request
        if pull is not None and pull.url is not None and pull.number is not None and is_web(pull.url):
            address = pull.url.replace("(", "%28").replace(")", "%29").replace("|", "%7C").replace("<", "%3C")
            shown = f"[{inert.title(decision)} #{pull.number}]({address})"
        else:
            shown = inert.title(decision)
        cells = (
            inert.place(str(one.workload)),
            inert.title(one.verdict),
            rated(one.score),
            shown,
            inert.prose(one.reason),
        )
        lines.append("| " + " | ".join(cells) + " |")
    if len(listed) > MAX_ROWS:
        lines += ["", f"{len(listed) - MAX_ROWS} more stand in the page."]
    return "\n".join(lines) + "\n"


def of_backtest(found: Backtest) -> str:
    """Return a backtest: one sentence, then its proposals, oldest first."""
    lines = [f"### aiops backtest: {backtest.headline(found)}", "", f"{backtest.span(found)}.", ""]
    if found.proposals:
        lines += ["| opened | workload | change | verdict | why |", "|---|---|---|---|---|"]
    for one in found.proposals[:MAX_ROWS]:
        change = f"{one.field} {one.old} -> {one.new}"
        cells = (
            moment(one.opened),
            inert.place(str(one.workload)),
            inert.prose(change),
            inert.title(one.verdict.ruling),
            inert.prose(one.verdict.why),
        )
        lines.append("| " + " | ".join(cells) + " |")
    if len(found.proposals) > MAX_ROWS:
        lines += ["", f"{len(found.proposals) - MAX_ROWS} more stand in the page."]
    return "\n".join(lines) + "\n"
