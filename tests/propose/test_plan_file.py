from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from propose import sample

from aiops.domain import Edit, Evidence, Plan
from aiops.errors import ConfigError
from aiops.propose import plan_file

DUMPED = plan_file.dump(sample.plan())


def rewritten(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return the plan after a change by somebody who also knows how to compute its sha256."""
    content = json.loads(DUMPED)
    del content["sha256"]
    change(content)
    content["sha256"] = plan_file._digest(content)
    return plan_file._text(content)


def test_the_same_plan_is_the_same_bytes():
    assert plan_file.dump(sample.plan()) == DUMPED
    assert DUMPED.isascii()
    assert DUMPED.endswith(b"}\n")


def test_a_plan_survives_its_file():
    assert plan_file.dump(plan_file.load(DUMPED)) == DUMPED
    item = plan_file.load(DUMPED).items[1]
    assert replace(item, chart=None) == sample.scale_item()


def test_floats_have_six_digits_and_what_is_no_number_is_null():
    item = sample.scale_item()
    breach = replace(item.incident.signals[0], observed=1 / 3, expected=float("nan"), score=float("inf"))
    item = replace(item, incident=replace(item.incident, signals=(breach,), score=-0.0))
    data = plan_file.dump(sample.plan(item))
    found = json.loads(data)["items"][0]["incident"]
    assert [found["signals"][0][name] for name in ("observed", "expected", "score")] == [0.333333, None, None]
    assert b"-0.0" not in data
    assert plan_file.dump(plan_file.load(data)) == data


@settings(max_examples=300, deadline=None)
@given(
    value=st.none() | st.floats(),
    claim=st.text(max_size=50).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)),
    at_s=st.integers(0, 2**40),
)
def test_any_evidence_survives(value, claim, at_s):
    item = sample.scale_item()
    seen = (Evidence(claim, claim, value, claim, at_s),)
    data = plan_file.dump(sample.plan(replace(item, diagnosis=replace(item.diagnosis, evidence=seen))))
    assert plan_file.dump(plan_file.load(data)) == data


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every scalar of a document."""
    if isinstance(value, dict):
        return [found for key in value for found in paths(value[key], (*path, key))]
    if isinstance(value, list):
        return [found for place, one in enumerate(value) for found in paths(one, (*path, place))]
    return [path]


@pytest.mark.parametrize("path", paths(json.loads(DUMPED)), ids=lambda path: ".".join(map(str, path)))
def test_one_changed_value_is_refused(path):
    content = json.loads(DUMPED)
    here = content
    for part in path[:-1]:
        here = here[part]
    old = here[path[-1]]
    if isinstance(old, bool):
        here[path[-1]] = not old
    elif isinstance(old, (int, float)):
        here[path[-1]] = old + 1
    else:
        here[path[-1]] = f"{old}x"
    with pytest.raises(ConfigError, match=r"sha256|schema|expected"):
        plan_file.load(plan_file._text(content))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "expected JSON"),
        (b"\xff\xfe", "expected JSON"),
        (b"[]", "schema"),
        (b'{"schema": "aiops.plan/2"}', "schema"),
        (b"[" * 100_000, "expected JSON"),
        (b'{"schema": "aiops.plan/1", "a": NaN}', "NaN is not a number"),
        (b'{"schema": "aiops.plan/1", "schema": "aiops.plan/1"}', "a key stands twice"),
        (DUMPED[:-2], "expected JSON"),
        (DUMPED + b" ", "not in the form"),
        (DUMPED.replace(b'"base": "main"', b'"base":"main"'), "not in the form"),
        (DUMPED.replace(b"1.14.2", b"6.66.6"), "sha256 does not match"),
        (b" " * (plan_file.MAX_BYTES + 1), "expected at most"),
    ],
    ids=range(12),
)
def test_what_dump_did_not_write_is_refused_in_one_line(data, expected):
    with pytest.raises(ConfigError, match=expected) as caught:
        plan_file.load(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@settings(max_examples=500, deadline=None)
@given(place=st.integers(0, len(DUMPED) - 1), byte=st.integers(0, 255))
def test_a_flipped_byte_is_never_accepted(place, byte):
    data = DUMPED[:place] + bytes([byte]) + DUMPED[place + 1 :]
    if data != DUMPED:
        with pytest.raises(ConfigError):
            plan_file.load(data)


def _edit(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["items"][0]["edits"][0].update({name: value})


def _decision(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["items"][0]["decision"].update({name: value})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_edit("file", "../../etc/passwd"), "may not write this path"),
        (_edit("file", "/etc/passwd"), "may not write this path"),
        (_edit("file", ".github/workflows/deploy.yaml"), "may not write this path"),
        (_edit("file", "a/.git/config"), "may not write this path"),
        (_edit("new", "6.66.6"), "another value than the decision names"),
        (_edit("new_text", 7), "expected str"),
        (_edit("start", -1), "byte span"),
        (_edit("start", "1"), "expected a number"),
        (_edit("end", 0), "byte span"),
        (_edit("blob", "HEAD"), "byte span and the id"),
        (_edit("path", ["a", None]), "none of the expected types"),
        (_edit("extra", 1), "unknown key 'extra'"),
        (_decision("field", "spec.template"), "expected one of image.tag, image.digest"),
        (_decision("action", "exec"), "expected one of"),
        (_decision("new", "x; rm -rf /"), "expected an image tag"),
        (lambda c: c["items"][1]["decision"].update(new=10**9), "expected 1..100000 replicas"),
        (lambda c: c["items"][1]["decision"].update(new=-1), "expected 1..100000 replicas"),
        (lambda c: c["items"][2].update(edits=c["items"][0]["edits"]), "a hold edits nothing"),
        (lambda c: c["items"][0].update(edits=[]), "expected an edit for a rollback"),
        (lambda c: c["items"][0].pop("chart"), "'chart' is missing"),
        (lambda c: c["items"].append(c["items"][0]), "each workload once"),
        (lambda c: c["items"][0]["incident"]["workload"].update(name="x"), "about another workload"),
        (lambda c: c.update(base_sha="main"), "expected a commit id"),
        (lambda c: c.update(data_time_s=-1), "expected a time"),
        (lambda c: c.update(step_s=1.5), "plan.step_s: expected a number"),
        (lambda c: c.update(items={}), "expected a list"),
        (lambda c: c.update(guardrails=[3]), "expected an object"),
        (lambda c: c["items"][0]["diagnosis"].update(cause="magic"), "expected one of bad-release"),
        (lambda c: c.update(model="x" * 30_000), "expected text of at most"),
        (lambda c: c.update(model="\ud800"), "expected text of at most"),
    ],
    ids=range(30),
)  # fmt: skip
def test_a_plan_that_was_tampered_with_is_refused_even_with_the_right_sha256(change, expected):
    with pytest.raises(ConfigError, match=expected) as caught:
        plan_file.load(rewritten(change))
    assert caught.value.todo == "make it again with `aiops run --plan`"


def test_an_image_reference_that_ends_with_the_decided_tag_is_the_decided_value():
    item = sample.rollback_item()
    edit = replace(item.edits[0], old="registry.example/x:1.14.3", new="registry.example/x:1.14.2")
    plan = sample.plan(replace(item, edits=(edit,)))
    assert isinstance(plan_file.load(plan_file.dump(plan)), Plan)


def pin(**changes: object) -> Edit:
    given: dict[str, Any] = {
        "file": "apps/web.yaml",
        "document": 0,
        "path": ("metadata", "annotations", "argocd-image-updater.argoproj.io/web.ignore-tags"),
        "old": "latest",
        "new": "latest,1.14.3",
        "new_text": '"latest,1.14.3"',
        "start": 3,
        "end": 9,
        "blob": "ab" * 20,
        "role": "pin",
    }
    return Edit(**{**given, **changes})


def pinned(*pins: Edit) -> Plan:
    item = sample.rollback_item()
    return sample.plan(replace(item, edits=(*item.edits, *pins)))


def test_a_rollback_may_carry_what_makes_it_stick():
    marker = pin(change="remove", old='# {"$imagepolicy": "flux-system:web:tag"}', new="", new_text="")
    for one in (pin(), marker):
        plan = pinned(one)
        assert plan.items[0].edits == plan_file.load(plan_file.dump(plan)).items[0].edits


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"new": "latest,1.14.3,9.9"}, "only add the old value"),
        ({"path": ("spec", "suspend")}, "only add the old value"),
        ({"change": "remove", "old": "# keep", "new": "", "new_text": ""}, "only the marker"),
        ({"role": "value"}, "another value than the decision names"),
        ({"role": "value", "new": "1.14.2"}, "expected one edit of the value"),
        ({"role": "value", "change": "remove", "new": "1.14.2"}, "a value is never removed"),
        ({"role": "admin"}, "expected one of value, pin"),
    ],
)
def test_a_pin_can_do_nothing_else(changes, expected):
    with pytest.raises(ConfigError, match=expected):
        plan_file.load(plan_file.dump(pinned(pin(**changes))))


def test_a_digest_and_its_tag_are_two_edits_of_one_value():
    item = sample.rollback_item()
    digest = "sha256:" + "b" * 64
    decision = replace(item.decision, field="image.digest", new=f"1.14.2@{digest}")
    edits = (replace(item.edits[0], new=digest), replace(item.edits[0], new="1.14.2"))
    plan = sample.plan(replace(item, decision=decision, edits=edits))
    assert edits == plan_file.load(plan_file.dump(plan)).items[0].edits
