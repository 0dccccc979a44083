"""aiops.yaml: what is accepted, and the one line for everything that is not."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from aiops.config import Config, duration_s
from aiops.config_file import load
from aiops.errors import ConfigError

MINIMAL = "prometheus: {url: 'http://127.0.0.1:9090'}\nrepository: {path: ../gitops.git}\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "aiops.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problem(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_two_keys_are_enough(tmp_path):
    config = load(written(tmp_path, MINIMAL))
    assert config.signals == ("istio", "kubernetes")
    assert (config.step, config.forge, config.repository.base) == (60, "local", "main")


def test_paths_are_relative_to_the_file_and_not_to_where_aiops_was_started(tmp_path, monkeypatch):
    config_file = written(tmp_path, MINIMAL + "model: models/mine\ncache: kept\n")
    monkeypatch.chdir("/")
    config = load(config_file)
    assert config.repository.path == tmp_path / "../gitops.git"
    assert (config.model, config.cache) == (tmp_path / "models/mine", tmp_path / "kept")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MINIMAL + "modle: x\n", "unknown key 'modle', did you mean 'model'?"),
        ("prometheus: {urll: x}\nrepository: {path: x}\n", "did you mean 'url'?"),
        (MINIMAL + "step: 1 minute\n", "step: expected a duration like 60s, 1m or 26h, found '1 minute'"),
        (MINIMAL + "step: 7m\n", "expected a step that divides one hour, found 420 s"),
        (MINIMAL + "forge: github\n", "forge: github needs repository: {github: OWNER/NAME}"),
        ("prometheus: {}\nrepository: {path: x}\n", "expected exactly one of `url` and `recording`"),
        ("repository: {path: x}\n", "prometheus: "),
        ("prometheus: {url: x}\n", "repository: Field required"),
        (MINIMAL + "signals: []\n", "signals: "),
        (MINIMAL + "calendar: {timezone: Mars/Base}\n", "expected an IANA time zone"),
        (MINIMAL + "calendar: {timezone: Europe}\n", "expected an IANA time zone"),
        (MINIMAL + f"calendar: {{timezone: {'x' * 300}}}\n", "expected an IANA time zone"),
        (MINIMAL + "clusters: [{name: a, paths: ['../x']}]\n", "expected a folder inside the repository"),
        (MINIMAL + "prometheus: {url: y}\n", "key 'prometheus' stands twice"),
        (
            MINIMAL + "queries: {q: {expr: up, unit: x, direction: up, min_deviation: .nan}}\n",
            "finite number",
        ),
        ("a: &x 1\nb: *x\n", "aliases are not used here"),
        ("- 1\n", "expected keys and values"),
        ("a: [\n", "not readable as YAML"),
        ("[" * 3_000, "not readable as YAML"),
    ],
)
def test_a_wrong_file_gets_one_clear_line(tmp_path, text, expected):
    assert expected in problem(tmp_path, text)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="start from pipelines/"):
        load(tmp_path / "nowhere.yaml")


def test_a_secret_comes_from_the_environment_and_is_never_printed(tmp_path, monkeypatch):
    monkeypatch.setenv("PROM_TOKEN", "canary-secret")
    text = "prometheus: {url: 'http://x', auth: {bearer: '${PROM_TOKEN}'}}\nrepository: {path: x}\n"
    config = load(written(tmp_path, text))
    bearer = config.prometheus[0].auth.bearer
    assert bearer is not None
    assert bearer.get_secret_value() == "canary-secret"
    assert "canary-secret" not in repr(config)


def test_a_variable_that_is_not_set_is_named(tmp_path):
    text = "prometheus: {url: '${NO_SUCH_VARIABLE}'}\nrepository: {path: x}\n"
    assert "NO_SUCH_VARIABLE is not set" in problem(tmp_path, text)


def test_an_invalid_secret_is_not_echoed(tmp_path, monkeypatch):
    monkeypatch.setenv("PROM_TOKEN", "canary-secret")
    text = "prometheus: {url: x, timeout: '${PROM_TOKEN}'}\nrepository: {path: x}\n"
    assert "timeout" in problem(tmp_path, text)


def test_one_server_and_a_list_of_servers_read_the_same(tmp_path):
    text = "prometheus: [{url: a, cluster: eu}, {url: b, cluster: us}]\nrepository: {path: x}\n"
    assert [source.cluster for source in load(written(tmp_path, text)).prometheus] == ["eu", "us"]


@pytest.mark.parametrize(
    ("text", "expected"), [("90", None), ("90s", 90), ("1m", 60), ("26h", 93_600), ("2w", 1_209_600)]
)
def test_durations_read_as_prometheus_writes_them(text, expected):
    if expected is None:
        with pytest.raises(ValueError, match="expected a duration"):
            duration_s(text)
    else:
        assert duration_s(text) == expected


def test_the_settings_cannot_be_changed_by_a_stage():
    config = Config.model_validate({"prometheus": {"url": "x"}, "repository": {"path": "x"}})
    with pytest.raises(ValueError, match="frozen"):
        config.step = 30  # type: ignore[misc]


def test_a_link_may_hold_fields_and_nothing_that_ends_it():
    base = {"prometheus": {"url": "http://x"}, "repository": {"path": "."}}
    good = "https://jaeger.example.com/search?service={workload}.{namespace}&start={from_us}"
    assert Config.model_validate({**base, "links": {"traces": good}}).links == {"traces": good}
    for name, wrong in (("traces", good + ") x"), ("traces", "ftp://x/?{workload}"), ("[x]", good)):
        with pytest.raises(ValidationError):
            Config.model_validate({**base, "links": {name: wrong}})
