"""`aiops init` on the demo's world: a file that works, no file where something is wrong, no secrets."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest
import real
import yaml
from edges import exporters

from aiops.commands import init, settings_file
from aiops.config_file import load
from aiops.coverage import Covered
from aiops.domain import Workload
from aiops.report import utc


@pytest.fixture
def asked(world, built, tmp_path):
    """Return what a person says about the demo's world, the file being in a folder of its own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    return init.Asked(
        prometheus=str(built.folder / "recording"),
        repo=str(world.folder / "gitops.git"),
        base="main",
        output=folder / "aiops.yaml",
        bearer_env=None,
        username=None,
        password_env=None,
        headers=(),
        ca=None,
        cert=None,
        key=None,
    )


def written(asked, source="https://prometheus.example.com"):
    return yaml.safe_load(settings_file.text(asked, source, "acme/gitops", ("istio",), {}, ()))


def test_the_file_is_one_that_every_command_reads_and_the_table_names_every_workload(capsys, asked):
    assert init.init(asked, None) == 0

    out = capsys.readouterr().out
    assert out.count(" 7/7 ") == 13
    assert "clusters/prod-eu/web-hpa.yaml" in out
    config = load(asked.output)
    assert (config.signals, config.forge) == (("istio", "kubernetes"), "local")
    schema = json.loads((asked.output.parent / settings_file.SCHEMA_FILE).read_text())
    jsonschema.validate(yaml.safe_load(asked.output.read_text()), schema)
    assert sorted(path.name for path in asked.output.parent.iterdir()) == [
        settings_file.SCHEMA_FILE,
        "aiops.yaml",
    ]


@pytest.mark.real
def test_of_two_sources_of_requests_one_is_used_and_the_other_is_named(
    capsys, asked, tmp_path, start_prometheus
):
    sources = (exporters.kubernetes, exporters.client_golang, exporters.linkerd)
    real.backfill(exporters.text(row for source in sources for row in source()), tmp_path / "data")
    at = utc(exporters.START_S + 58 * 60)

    assert init.init(dataclasses.replace(asked, prometheus=start_prometheus(tmp_path / "data")), at) == 0
    out = capsys.readouterr().out
    assert "found Linkerd: 24 series of response_latency_ms_bucket, read by the preset linkerd" in out
    assert "not used: the preset clients names 2 workloads" in out
    assert load(asked.output).signals == ("linkerd", "kubernetes")
    assert "# Counts requests as well, not used: clients (2)." in asked.output.read_text()


def test_a_file_that_exists_is_never_replaced(capsys, asked):
    asked.output.write_text("mine\n")

    assert init.init(asked, None) == 2
    assert "never replaced" in capsys.readouterr().err
    assert asked.output.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"prometheus": "http://127.0.0.1:{port}"}, 20),
        ({"prometheus": "ftp://x"}, 2),
        ({"repo": "nowhere at all"}, 2),
        ({"base": "nowhere"}, 2),
        ({"prometheus": None}, 2),
        ({"bearer_env": "NOT_SET_HERE", "prometheus": "http://127.0.0.1:1"}, 2),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(capsys, asked, wrong, code):
    wrong = {key: value and value.replace("{port}", str(real.free_port())) for key, value in wrong.items()}

    assert init.init(dataclasses.replace(asked, **wrong), None) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("aiops: ")]
    assert [line[:7] for line in lines] == ["error: "]
    assert list(asked.output.parent.iterdir()) == []


def test_only_names_of_variables_are_written_and_hostile_words_stay_words(asked):
    said = dataclasses.replace(
        asked, bearer_env="TOKEN", headers=('X-Scope-OrgID: a"b: {c}', "X-Two:#d"), base='ma"in'
    )

    assert written(said)["prometheus"]["auth"] == {"bearer": "${TOKEN}"}
    assert written(said)["prometheus"]["headers"] == {"X-Scope-OrgID": 'a"b: {c}', "X-Two": "#d"}
    assert written(said)["repository"] == {"github": "acme/gitops", "base": 'ma"in'}
    basic = dataclasses.replace(asked, username="me", password_env="PW")
    assert written(basic)["prometheus"]["auth"] == {"username": "me", "password": "${PW}"}


def test_a_hostile_cluster_label_writes_no_key_into_the_file(asked):
    label = "x}\nforge: github\nmodel: {{evil"
    row = Covered(Workload(label, "shop", "Deployment", "web"), {}, None, None, None)
    text = settings_file.text(asked, "http://127.0.0.1:1", "acme/gitops", ("istio",), {}, (row,))

    assert yaml.safe_load(text) == written(asked, "http://127.0.0.1:1")
    (example,) = [line for line in text.splitlines() if "match: {" in line]
    (cluster,) = yaml.safe_load(example.removeprefix("#"))
    assert (cluster["name"], cluster["match"]) == (label, {"cluster": label})


@pytest.mark.parametrize(
    ("said", "flag"),
    [
        ({"headers": ("Authorization: Bearer canary",)}, "--header"),
        ({"headers": ("X-Scope-OrgID: shop", "x-api-key:canary")}, "--header"),
        ({"headers": ("X-Team: Basic canary",)}, "--header"),
        ({"headers": ("canary",)}, "--header"),
        ({"prometheus": "https://me:canary@prometheus.example.com"}, "--prometheus"),
        ({"bearer_env": "ca.nary"}, "--bearer-env"),
        ({"username": "me", "password_env": "ca.nary"}, "--password-env"),
    ],
)
def test_a_secret_in_place_of_the_name_of_its_variable_is_refused_by_its_flag(capsys, asked, said, flag):
    found = dataclasses.replace(asked, **{"prometheus": "http://127.0.0.1:1", **said})

    assert init.init(found, None) == 2
    err = capsys.readouterr().err
    assert f"error: {flag}: " in err
    assert ("canary" in err, "ca.nary" in err) == (False, False)
    assert list(asked.output.parent.iterdir()) == []


def test_a_secret_header_that_names_its_variable_is_written(asked):
    headers = ("Authorization: Bearer ${TOKEN}", "X-Api-Key:${KEY}")
    found = written(dataclasses.replace(asked, headers=headers))

    assert found["prometheus"]["headers"] == {"Authorization": "Bearer ${TOKEN}", "X-Api-Key": "${KEY}"}


@pytest.mark.parametrize(
    ("named", "best"),
    [
        ({"istio": 10, "clients": 12, "kubernetes": 40}, "istio"),
        ({"istio": 2, "clients": 12, "kubernetes": 40}, "clients"),
        ({"clients": 3, "nginx": 6}, "clients"),
        ({"clients": 2, "nginx": 6}, "nginx"),
        ({"kubernetes": 40}, ""),
    ],
)
def test_what_tells_more_of_each_workload_is_used_unless_it_knows_less_than_half_of_them(named, best):
    assert init._best(named) == best
