"""`aiops replay`: make the decision of an evidence bundle again, and compare it byte for byte.

The same pipeline, over ports that read the bundle: no Prometheus, no repository, no settings, no
network. Only the analysing half: what became of the plan is on the forge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiops import __version__, connect, pipeline, terminal
from aiops.commands import targets
from aiops.commands.run import failed
from aiops.edges import bundle, bundle_reading
from aiops.errors import AiopsError
from aiops.job import Result
from aiops.propose import plan_file
from aiops.report import utc

DIFFERENT = 1  # the same data gives the same plan: that it does not is a bug, here or in the bundle


class _Different(AiopsError):
    code = "different"
    exit_code = DIFFERENT


def replay(file: Path, explain: str | None) -> int:
    """Print the run again and whether the decision is the same. Returns the exit code."""
    try:
        opened = bundle.Bundle(file)
        kept = opened.manifest
        terminal.say(
            f"made by aiops {_ascii(kept.aiops)} at {utc(kept.now_s)}, model {_ascii(kept.model_id)}"
        )
        before = opened.object(kept.plan, plan_file.MAX_BYTES)
        found = _again(opened)
        terminal.result(found)
        if explain:
            picked = targets.pick(explain, [incident.workload for incident in found.incidents])
            for item in found.plan.items:
                if item.workload == picked:
                    terminal.explain(item)
        _compare(before, plan_file.dump(found.plan), kept)
    except AiopsError as error:
        return failed(error, None, as_json=False)
    digest = hashlib.sha256(before).hexdigest()
    terminal.say(f"\nthe same decision, byte for byte: {len(before)} bytes of plan, sha256 {digest}")
    return 0


def _again(opened: bundle.Bundle) -> Result:
    kept = opened.manifest
    job = replace(
        connect.decided_by(kept.settings), model=bundle_reading.model(opened), model_id=kept.model_id
    )
    if (job.model.id if job.model else "") != kept.model_id:
        bundle.refuse("the model in it is not the one it names", Path("model"))
    silences = None if kept.silences is None else bundle_reading.BundledSilences(opened)
    with terminal.progress() as tell:
        return pipeline.analyse(
            job,
            bundle_reading.BundledMetrics(opened),
            bundle_reading.BundledRepository(opened),
            kept.now_s,
            tell,
            silences=silences,
        )


def _compare(before: bytes, now: bytes, kept: bundle.Manifest) -> None:
    """Raise _Different with the first place where two plans differ."""
    if before == now:
        return
    try:
        then = json.loads(before)
    except (ValueError, RecursionError):
        then = None
    place = difference(then, json.loads(now)) or "only in how it is written"
    versions = "" if kept.aiops == __version__ else f"; made by {_ascii(kept.aiops)}, this is {__version__}"
    raise _Different(
        f"{place}{versions}",
        where="another decision",
        todo="compare the sha256 of the bundle with the one that `run` printed",
    )


def difference(before: Any, now: Any, place: str = "plan") -> str:
    """Return the first place where two JSON values differ, items first; "" when they do not."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted({*before, *now} - {"sha256"}, key=lambda one: (one != "items", one)):
            found = difference(before.get(key), now.get(key), f"{place}.{_ascii(key)}")
            if found:
                return found
        return ""
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        each = (difference(a, b, f"{place}[{i}]") for i, (a, b) in enumerate(zip(before, now, strict=True)))
        return next(filter(None, each), "")
    if type(before) is type(now) and before == now:
        return ""
    return f"{place}: {_shown(before)} in the bundle, {_shown(now)} now"


def _shown(value: Any) -> str:
    if isinstance(value, (list, Mapping)):
        return f"{len(value)} entries"
    return json.dumps(value)[:80]


def _ascii(text: str) -> str:
    return ascii(text[:80])[1:-1]
