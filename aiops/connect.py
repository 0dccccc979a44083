"""Build what a run talks to, from the settings: metrics, repository, forge, model.

The only place that knows which edge belongs to which key of `aiops.yaml`. Tokens come from the
environment (`GITHUB_TOKEN`, or the key of a GitHub App), never from the file.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from aiops import tokens
from aiops.config import Config, Prometheus
from aiops.detect.settings import Calendar, DetectSettings
from aiops.domain import Query
from aiops.errors import ConfigError, ModelRefused
from aiops.gitops.clusters import Cluster
from aiops.ingest import presets
from aiops.job import Job
from aiops.limits import Limits
from aiops.ports import Forge, Metrics, Repository, Silences
from aiops.propose import marker

if TYPE_CHECKING:
    from aiops.detect.model import Model
    from aiops.edges import github_access
    from aiops.edges.prometheus import PrometheusSettings

_DECIDE = {"signals", "queries", "clusters", "calendar", "step"}  # of aiops.yaml; with repository.base
DEADLINE_S = 300.0  # what a command may take to talk to anybody, unless it says otherwise


def job(config: Config, warnings: list[str]) -> Job:
    """Return the settings of every stage.

    A model that is refused becomes one of the `warnings`: the forest takes over.
    """
    model, model_id = _model(config, warnings)
    return replace(proposing_job(config), model=model, model_id=model_id)


def proposing_job(config: Config) -> Job:
    """Return the settings of the proposing half: it has no model and asks no Prometheus."""
    return Job(
        signals=signal_queries(config),
        context=presets.context_queries(config.signals),
        clusters=clusters(config),
        base=config.repository.base,
        step_s=config.step,
        model=None,
        model_id="",
        detect=detect_settings(config),
        limits=Limits(),
        external_urls={one.cluster: one.external_url for one in config.prometheus if one.external_url},
        links=config.links,
        tracking=_tracking(config),
    )


def _tracking(config: Config) -> str:
    """Return the key of this job's tracking issue: jobs that look at something else have one each."""
    if not config.issues:
        return ""
    seen = [f"cluster {one.name}" for one in config.clusters]
    seen += [f"{one.cluster} {_shown(one)}" for one in config.prometheus]
    return marker.digest(config.repository.base, *sorted(seen))


def deciding(config: Config) -> dict[str, Any]:
    """Return the keys that decide, as `decided_by` reads them: no address, no secret."""
    return {**config.model_dump(mode="json", include=_DECIDE), "base": config.repository.base}


def decided_by(given: Mapping[str, Any]) -> Job:
    """Return the job of what `deciding` returned, without its model. Raises ConfigError for anything else."""
    keys = {key: value for key, value in given.items() if key in _DECIDE}
    places = {"prometheus": {"recording": "."}, "repository": {"path": ".", "base": given.get("base")}}
    try:
        if set(given) == {*_DECIDE, "base"}:
            return proposing_job(Config.model_validate({**keys, **places}))
    except ValidationError:
        pass
    raise ConfigError("its settings do not check out", where="bundle", todo="make it again")


def signal_queries(config: Config) -> tuple[Query, ...]:
    """Return the presets' signals and the user's own."""
    own = tuple(
        presets.custom(name, query.expr, query.unit, query.direction, query.min_deviation)
        for name, query in sorted(config.queries.items())
    )
    return (*presets.signal_queries(config.signals), *own)


def clusters(config: Config) -> tuple[Cluster, ...]:
    """Return the clusters the repository deploys to; none = one that covers everything."""
    return tuple(Cluster(one.name, one.match, one.paths) for one in config.clusters)


def detect_settings(config: Config) -> DetectSettings:
    """Return the detector's settings with the threshold, and the calendar of the people who make the load."""
    given = config.calendar
    calendar = Calendar(given.timezone, given.holidays, given.excluded)
    return DetectSettings(threshold=config.threshold, calendar=calendar)


def sources(config: Config, deadline_s: float) -> list[tuple[str, Metrics]]:
    """Return every source by what a person calls it: its cluster, or its address."""
    return [
        (one.cluster or _shown(one), _source(one, deadline_s, patient=False)) for one in config.prometheus
    ]


def _shown(source: Prometheus) -> str:
    """Return where samples come from, without a password that stands in the address."""
    if source.recording is not None:
        return source.recording.name
    scheme, _, rest = str(source.url).partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def metrics(config: Config, deadline_s: float, *, patient: bool = False) -> Metrics:
    """Return the source of samples. `deadline_s`: total time all reads of this run may take.

    `patient`: one read may take all of it; for weeks of history that a person waits for.
    """
    sources = [_source(source, deadline_s, patient=patient) for source in config.prometheus]
    if len(sources) == 1:
        return sources[0]
    from aiops.edges.several import SeveralMetrics

    named = {source.cluster: found for source, found in zip(config.prometheus, sources, strict=True)}
    if "" in named or len(named) < len(sources):
        raise ConfigError("each of several servers needs a `cluster` of its own", where="prometheus")
    return SeveralMetrics(named)


def _source(source: Prometheus, deadline_s: float, *, patient: bool) -> Metrics:
    if source.recording is not None:
        from aiops.edges.recording import RecordedMetrics

        return RecordedMetrics(source.recording)
    from aiops.edges.prometheus import PrometheusMetrics

    return PrometheusMetrics(_settings(source, deadline_s, patient=patient))


def silences(config: Config, deadline_s: float) -> Silences | None:
    """Return the Alertmanager that says what is silenced; None where none is named."""
    source = config.alertmanager
    if source is None:
        return None
    if source.url is None:
        raise ConfigError("expected `url`", where="alertmanager", todo="for example http://127.0.0.1:9093")
    from aiops.edges.alertmanager import AlertmanagerSilences

    return AlertmanagerSilences(_settings(source, deadline_s, patient=False))


def _settings(source: Prometheus, deadline_s: float, *, patient: bool) -> PrometheusSettings:
    from aiops.edges.prometheus import PrometheusSettings

    assert source.url is not None  # noqa: S101 - the configuration checked it
    secret = source.auth
    headers = {name: value.get_secret_value() for name, value in source.headers.items()}
    if secret.bearer:
        headers["Authorization"] = f"Bearer {secret.bearer.get_secret_value()}"
    basic = (
        (secret.username, secret.password.get_secret_value() if secret.password else "")
        if secret.username
        else None
    )
    return PrometheusSettings(
        url=source.url,
        headers=headers,
        basic=basic,
        ca=source.tls.ca,
        cert=source.tls.cert,
        key=source.tls.key,
        timeout_s=deadline_s if patient else min(float(source.timeout), deadline_s),
        deadline_s=deadline_s,
    )


def repository(config: Config, deadline_s: float = DEADLINE_S) -> Repository:
    """Return the manifests: git objects where there is a checkout, else GitHub by REST."""
    given = config.repository
    if given.path is not None:
        from aiops.edges.git import GitRepository

        return GitRepository(given.path)
    from aiops.edges.github_repository import GitHubRepository

    assert given.github is not None  # noqa: S101 - the configuration checked it
    return GitHubRepository(tokens.repository(given.github, deadline_s))


def forge(config: Config, *, dry_run: bool, deadline_s: float = DEADLINE_S) -> Forge:
    """Return where pull requests go; `dry_run` wraps it in a forge that cannot write."""
    found: Forge
    if config.forge == "github":
        from aiops.edges.github_forge import GitHubForge

        assert config.repository.github is not None  # noqa: S101 - the configuration checked it
        repo = tokens.repository(config.repository.github, deadline_s, issues=config.issues)
        found = GitHubForge(repo)
    else:
        from aiops.edges.local_forge import LocalForge

        assert config.repository.path is not None  # noqa: S101 - the configuration checked it
        found = LocalForge(config.repository.path, config.repository.base)
    if not dry_run:
        return found
    from aiops.edges.read_only import ReadOnlyForge

    return ReadOnlyForge(found)


def access(config: Config, deadline_s: float) -> github_access.Access | None:
    """Ask what the token may do, without writing; None for the local forge, after a look at it."""
    if config.forge == "local":
        forge(config, dry_run=True).pulls()
        return None
    from aiops.edges import github_access

    assert config.repository.github is not None  # noqa: S101 - the configuration checked it
    name = config.repository.github
    token, app = tokens.credential(name, deadline_s, issues=config.issues)
    return github_access.of(tokens.repository_as(token, name, deadline_s), config.repository.base, app)


def starter() -> Path:
    """Return the folder of the model that comes with aiops: packaged, or in a checkout."""
    installed = Path(__file__).parent / "starter"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "models" / "starter"


def model_folder(config: Config) -> tuple[Path, str]:
    """Return the folder of the model to score with, and a warning where it is not the one of the settings.

    A folder that nothing has been trained into yet is no mistake: the starter scores until then.
    """
    if config.model is None:
        return starter(), ""
    from aiops.edges import model_store

    if not (config.model / model_store.CARD).exists():
        return starter(), f"no model in {config.model} yet: the starter model scores until `aiops train`"
    return config.model, ""


def clock_s() -> int:
    """Return the wall clock in unix seconds: the time of everything that reads no metrics."""
    return int(time.time())


def _model(config: Config, warnings: list[str]) -> tuple[Model | None, str]:
    from aiops.edges import model_store

    folder, warning = model_folder(config)
    warnings += [warning] if warning else []
    try:
        found = model_store.load(folder)
    except ModelRefused as error:
        warnings.append(f"{error}; the isolation forest scores instead")
        return None, ""
    return found, found.id
