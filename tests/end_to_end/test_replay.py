"""A decision made again from its evidence alone, on the demo's recording."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile

import numpy as np
import pytest

from aiops.commands import replay, run
from aiops.edges import bundle

QUIET = {"at": None, "dry_run": False, "explain": None, "detailed": False, "export": None, "as_json": True}


def analyse(world, out, plan):
    asked = {**QUIET, "at": world.at}
    return run.run(world.config, plan_out=plan, bundle_out=out, deadline_s=300, **asked)


@pytest.fixture(scope="module")
def kept(built, tmp_path_factory):
    """Return the folder of one run's plan and evidence; the repository it read is gone."""
    folder = tmp_path_factory.mktemp("kept")
    shutil.copytree(built.folder / "gitops.git", folder / "gitops.git")
    text = built.config.read_text(encoding="utf-8")
    text = text.replace(
        "{recording: recording}",
        f"{{recording: {built.folder / 'recording'}, headers: {{X: s3cr3t-header}}}}",
    )
    (folder / "aiops.yaml").write_text(text, encoding="utf-8")
    world = type(built)(folder, built.now_s)
    assert analyse(world, folder / "evidence.zip", folder / "plan.json") == 0
    shutil.rmtree(folder / "gitops.git")
    return folder


def changed(kept, out, change):
    """Write a copy of the evidence that `change(manifest, objects)` worked on, with names that fit again."""
    with zipfile.ZipFile(kept / "evidence.zip") as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    manifest = json.loads(members.pop(bundle.MANIFEST))
    objects = {name.removeprefix("objects/"): data for name, data in members.items()}
    change(manifest, objects)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        for name, data in objects.items():
            zipped.writestr(f"objects/{name}", data)
        zipped.writestr(bundle.MANIFEST, json.dumps(manifest))
    return out


def put(objects, data):
    name = hashlib.sha256(data).hexdigest()
    objects[name] = data
    return name


def test_the_evidence_alone_gives_the_plan_again_byte_for_byte(kept, capsys):
    assert replay.replay(kept / "evidence.zip", "shop/checkout") == 0
    out = capsys.readouterr().out
    plan = (kept / "plan.json").read_bytes()
    assert f"the same decision, byte for byte: {len(plan)} bytes of plan" in out
    assert hashlib.sha256(plan).hexdigest() in out
    assert "1.15.0 is blamed" in out
    assert "rule" in out


def test_what_was_kept_holds_the_plan_and_no_setting_that_does_not_decide(kept):
    opened = bundle.Bundle(kept / "evidence.zip")
    assert opened.object(opened.manifest.plan) == (kept / "plan.json").read_bytes()
    assert opened.manifest.model is not None
    with zipfile.ZipFile(kept / "evidence.zip") as zipped:
        everything = b"".join(zipped.read(name) for name in zipped.namelist())
    assert b"s3cr3t-header" not in everything
    assert str(kept).encode() not in everything


def test_another_sample_is_another_decision_and_the_place_is_named(kept, tmp_path, capsys):
    def halve(manifest, objects):
        for answer in manifest["answers"]:
            if answer["name"] == "error_ratio" and answer["rows"]:
                planes = np.frombuffer(objects[answer["values"]], dtype="u1").reshape(8, -1)
                half = planes.T.copy().view("<f8") / 2
                answer["values"] = put(objects, half.view("u1").reshape(-1, 8).T.tobytes())

    file = changed(kept, tmp_path / "e.zip", halve)
    assert replay.replay(file, None) == replay.DIFFERENT
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: another decision: plan.items")
    assert " in the bundle, " in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m, _: m["answers"].pop(0), "which the bundle does not hold (compare its sha256"),
        (lambda m, _: (m["answers"].pop(0), m.update(aiops="9\x1b")), "(replay with aiops 9\\x1b, which"),
        (lambda m, _: m["answers"][0].update(rows=10**9), "expected one value per series and step"),
        (lambda m, _: m["answers"][0].update(rows=-1), "expected one value per series and step"),
        (lambda m, o: m["answers"][0].update(labels=put(o, b'[{"a": "b"}]')), "one value per series"),
        (lambda m, o: m["answers"][0].update(labels=put(o, b"[" * 10**6)), "expected JSON"),
        (lambda m, o: o.pop(m["answers"][0]["values"]), "of at most"),
        (lambda m, o: o.update({m["answers"][0]["values"]: b"\0" * 8}), "is damaged"),
        (lambda m, _: m["settings"].update(cache="x"), "its settings do not check out"),
        (lambda m, _: m["settings"].update(step=7), "its settings do not check out"),
        (lambda m, o: m["model"].update(onnx=put(o, b"no model")), "expected model.onnx with sha256"),
        (lambda m, _: m.update(model=None), "the model in it is not the one it names"),
        (lambda m, _: m.update(model_id="\x1b[31mother"), "the model in it is not the one it names"),
        (
            lambda m, _: m["repository"]["histories"][0]["commits"][0].update(time_s=2**60),
            "expected commits of this age",
        ),
        (lambda m, _: m.update(now_s=2**50), "expected a bundle of schema"),
        (lambda m, _: m["repository"]["heads"].clear(), "asks for branch main"),
        (lambda m, _: m.update(plan="../../etc/passwd"), "of at most"),
    ],
)
def test_a_bundle_that_was_made_up_ends_in_one_line(kept, tmp_path, capsys, change, said):
    assert replay.replay(changed(kept, tmp_path / "e.zip", change), None) in {2, 50}
    shown = capsys.readouterr()
    assert said in shown.err.splitlines()[-1]
    assert "\x1b[31m" not in shown.out + shown.err
