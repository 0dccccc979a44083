"""The rules about changes that are no image: settings, a pod template, who gets the traffic.

There is no tag to put back, so these always hold; what they name is worth as much as a proposal:
the change, when it came, and (once the repository is asked) the commit to revert.
"""

from __future__ import annotations

from aiops.diagnose import exposure, releases
from aiops.diagnose.facts import Facts, describe
from aiops.diagnose.inquiry import Finding, Inquiry
from aiops.domain import Cause, Change, Evidence

_SOURCE = {
    "config": "pod_template",
    "nearby": "config_version",
    "exposure": "service_rate",
    "certificate": "certificate_end",
}


def changed_settings(inquiry: Inquiry) -> Finding | None:
    """R6: pod template or settings of its own changed in the hour before, healthy before, bad after."""
    facts = inquiry.facts
    change = newest(facts, "config")
    if change is None:
        known = not {"pod_template", "config_version"} & set(facts.context.missing)
        inquiry.no(
            "R6",
            "no settings of it changed in the hour before" if known else "what its settings are is not known",
            cause="a configuration change" if known else "",
        )
        return None
    harmed = facts.harmed()
    if not harmed or not any(releases.healthy_before(facts, change, signal) for signal in harmed):
        inquiry.clear("R6", f"{describe(change)}: no harm after it, or as bad before it")
        return None
    said = (told(facts, change), *releases.contrast(facts, change, list(harmed)))
    answer = f"{describe(change)}, {releases.lead(facts.onset_s - change.at_s)}, with the image unchanged"
    return Finding(Cause.CONFIG, facts.workload, answer, change, said)


def moved_traffic(inquiry: Inquiry) -> Finding | None:
    """R-EXPOSE: a version got more of a service's traffic without a new image, and harm followed."""
    facts = inquiry.facts
    moved = facts.recent_changes("exposure")
    if not moved:
        known = "service_rate" not in facts.context.missing
        inquiry.no(
            "R-EXPOSE",
            "no version got another share of the traffic" if known else "who serves what is not known",
            cause="a change of who is served" if known else "",
        )
        return None
    grew = [change for change in moved if exposure.rose(change)]
    shrank = [change for change in moved if not exposure.rose(change)]
    fell = facts.breach("request_rate")
    if not grew and not facts.harmed() and fell is not None and fell.observed < fell.expected:
        answer = f"its traffic was moved away: {describe(shrank[-1])}"
        said = (told(facts, shrank[-1]),)
        return Finding(Cause.EXPOSURE, facts.workload, answer, shrank[-1], said)
    if not grew or not facts.harmed():
        inquiry.clear("R-EXPOSE", f"{describe(moved[-1])}: no harm followed")
        return None
    change = grew[-1]
    answer = f"{describe(change)}, {releases.lead(facts.onset_s - change.at_s)}, with the image unchanged"
    return Finding(Cause.EXPOSURE, facts.workload, answer, change, (told(facts, change),))


def ended_certificate(inquiry: Inquiry) -> Finding | None:
    """R-CERT: a certificate of its namespace ended in the hour before, and users notice."""
    facts = inquiry.facts
    change = newest(facts, "certificate")
    if change is None:
        inquiry.no("R-CERT", "no certificate of its namespace is known to have ended in the hour before")
        return None
    if "error_ratio" not in facts.harmed():
        inquiry.clear("R-CERT", f"{describe(change)}: no errors after it")
        return None
    answer = f"{describe(change)}, {releases.lead(facts.onset_s - change.at_s)}; renew it"
    return Finding(Cause.CONFIG, facts.workload, answer, change, (told(facts, change),))


def newest(facts: Facts, kind: str) -> Change | None:
    """Return the newest change of a kind that the onset can follow."""
    return max(facts.recent_changes(kind), key=lambda c: (c.at_s, c.subject, c.new or ""), default=None)


def told(facts: Facts, change: Change) -> Evidence:
    """Return a change as evidence: how long before the onset it came."""
    lead_s = facts.onset_s - change.at_s
    source = "config_version" if "/" in change.subject else _SOURCE[change.kind]
    the = "" if "/" in change.subject or change.kind == "certificate" else "the "
    return facts.evidence(
        f"{releases.lead(lead_s)} {the}{describe(change)}", source, lead_s / 60, "min", change.at_s
    )
