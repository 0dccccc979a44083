"""The plan between the two halves of a run: one canonical JSON document, `aiops.plan/1`.

Comes in: a `Plan`, or bytes from a disk that others can write to. Goes out: the same bytes for the
same plan, or a checked `Plan`. Floats have 6 significant digits; what is not a number is null.
The digest finds damage, not malice (whoever edits a plan can also compute it), so `load` accepts
nothing but what `dump` writes: known keys, closed lists, safe paths, edits that do what is decided.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, NoReturn

from aiops.domain import Edit, Hold, Plan, PlanItem, Rollback, Scale, State
from aiops.errors import ConfigError, EditRefused
from aiops.propose.paths import refuse_path
from aiops.propose.typed import Mismatch, build

MAX_BYTES = 50_000_000
MAX_REPLICAS = 100_000
_SCHEMA = "aiops.plan/1"
_TODO = "make it again with `aiops run --plan`"
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_IMAGE_VALUE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@/+-]{0,511}")
_LAST_S = 253_402_300_799


def dump(plan: Plan) -> bytes:
    """Return the plan as canonical JSON: sorted keys, ASCII, one trailing newline, sha256 inside."""
    content = _plain(plan)
    return _text({**content, "sha256": _digest(content)})


def load(data: bytes) -> Plan:
    """Return the plan that `dump` wrote. Raises ConfigError, one line, for anything else."""
    if len(data) > MAX_BYTES:
        _refuse(f"expected at most {MAX_BYTES} bytes, found {len(data)}")
    try:
        content = json.loads(data.decode("ascii"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        _refuse(f"expected JSON as `aiops run --plan` writes it: {_one_line(error)}")
    if not isinstance(content, dict) or content.get("schema") != _SCHEMA:
        _refuse(f"expected a document of schema {_SCHEMA}")
    digest = content.pop("sha256", None)
    if digest != _digest(content):
        _refuse("the sha256 does not match the content: the plan was changed or cut")
    try:
        plan = build(Plan, content, "plan")
    except Mismatch as error:
        _refuse(_one_line(error))
    assert isinstance(plan, Plan)  # noqa: S101 - build() returns what it was asked for
    _check(plan)
    # Whatever reads differently in two ways (spaces, 1e3 for 1000.0, a seventh digit) ends here.
    if dump(plan) != data:
        _refuse("the document is not in the form that `aiops run --plan` writes")
    return plan


def _plain(value: Any) -> Any:
    """Return dataclasses, tuples, enums and floats as what JSON knows."""
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return float(f"{value:.6g}") + 0.0 if math.isfinite(value) else None
    return value


def _text(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, sort_keys=True, indent=1, allow_nan=False) + "\n").encode("ascii")


def _digest(content: dict[str, Any]) -> str:
    compact = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(compact.encode("ascii")).hexdigest()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _check(plan: Plan) -> None:
    """Refuse what has the right types and still cannot come from an analysis."""
    if not _SHA.fullmatch(plan.base_sha):
        _refuse("plan.base_sha: expected a commit id")
    if not 0 <= plan.data_time_s <= _LAST_S or not 0 < plan.step_s <= 86_400:
        _refuse("plan.data_time_s, plan.step_s: expected a time and a step of at most a day")
    workloads = [item.workload for item in plan.items]
    if len(set(workloads)) != len(workloads):
        _refuse("plan.items: expected each workload once")
    if plan.judge and not re.fullmatch(r"[0-9a-f]{12}", plan.judge):
        _refuse("plan.judge: expected 12 hex digits")
    calm = [one.workload for one in plan.quiet]
    open_ = {item.workload for item in plan.items if item.incident.state is not State.INACTIVE}
    if len(set(calm)) != len(calm) or open_ & set(calm):
        _refuse("plan.quiet: expected each workload once, and none with an incident")
    if any(not 0 <= one.since_s <= plan.data_time_s for one in plan.quiet):
        _refuse("plan.quiet: expected times before plan.data_time_s")
    for place, item in enumerate(plan.items):
        _check_item(item, f"plan.items[{place}]")


def _check_item(item: PlanItem, where: str) -> None:
    decision = item.decision
    if item.incident.workload != item.workload or item.diagnosis.workload != item.workload:
        _refuse(f"{where}: the incident or the diagnosis is about another workload")
    if isinstance(decision, Hold):
        if item.edits:
            _refuse(f"{where}: a hold edits nothing")
        return
    if not item.edits:
        _refuse(f"{where}.edits: expected an edit for a {decision.action}")
    new = str(decision.new)
    if isinstance(decision, Scale):
        if not 0 < decision.new <= MAX_REPLICAS:
            _refuse(f"{where}.decision.new: expected 1..{MAX_REPLICAS} replicas")
    elif not _IMAGE_VALUE.fullmatch(new):
        _refuse(f"{where}.decision.new: expected an image tag or digest")
    _check_edits(item, decision, f"{where}.edits")


def _check_edits(item: PlanItem, decision: Scale | Rollback, where: str) -> None:
    for edit in item.edits:
        _check_edit(edit, str(decision.new), where)
    values = [edit for edit in item.edits if edit.role == "value"]
    parts = {edit.new for edit in values}
    both = set(str(decision.new).split("@"))
    if len(values) != 1 and not (len(values) == len(parts) == 2 and parts == both):
        _refuse(f"{where}: expected one edit of the value, or one of a tag and one of its digest")
    pinned = [edit for edit in item.edits if edit.role == "pin"]
    if pinned and isinstance(decision, Scale):
        _refuse(f"{where}: only a rollback pins what would set the value again")
    for edit in pinned:
        _check_pin(edit, str(decision.old), where)


def _check_edit(edit: Edit, new: str, where: str) -> None:
    try:
        refuse_path(edit.file)
    except EditRefused as error:
        _refuse(f"{where}: {error.message}")
    if not 0 <= edit.start <= edit.end or edit.document < 0 or not _SHA.fullmatch(edit.blob):
        _refuse(f"{where}: expected a byte span and the id of a blob")
    if edit.role == "pin":
        return
    if edit.change == "remove":
        _refuse(f"{where}: a value is never removed")
    if edit.new not in {new, *new.split("@")} and not edit.new.endswith((f":{new}", f"@{new}")):
        _refuse(f"{where}: an edit writes another value than the decision names")


def _check_pin(edit: Edit, old: str, where: str) -> None:
    """Allow two pins only: a marker goes, or the value that is taken out joins the ignored tags."""
    if edit.change == "remove":
        if edit.new or edit.new_text or "$imagepolicy" not in edit.old:
            _refuse(f"{where}: only the marker of an image policy may be removed")
        return
    keys = [part for part in edit.path if isinstance(part, str)]
    ignored = {tag.strip() for tag in edit.new.split(",")} - {tag.strip() for tag in edit.old.split(",")}
    if (
        not keys
        or not keys[-1].endswith(("ignore-tags", "ignoreTags"))
        or not ignored <= {*old.split("@"), old}
    ):
        _refuse(f"{where}: a pin may only add the old value to the ignored tags")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def _refuse(message: str) -> NoReturn:
    raise ConfigError(message, where="plan", todo=_TODO) from None
