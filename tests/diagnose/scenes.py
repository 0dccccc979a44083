"""A small shop to make incidents in, by hand: every number of a test stands in the test.

Minutes count backwards from the judged step: `since=30` is "from 30 minutes ago on".
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aiops.decide import policy
from aiops.diagnose import context, diagnosis
from aiops.domain import (
    Answer,
    Breach,
    Decision,
    Diagnosis,
    Familiar,
    FieldName,
    Grid,
    Incident,
    Panel,
    PastValue,
    Place,
    Query,
    Scores,
    Signal,
    State,
    Target,
    Verdict,
    Workload,
)
from aiops.limits import LIMITS, Limits

STEP_S = 60
NOW_S = 1_773_846_000
HOURS = 50
SIGNALS = (
    Signal("request_rate", "req/s", "both", 0.5),
    Signal("error_ratio", "ratio", "up", 0.01, 0.02),
    Signal("latency_p95", "ms", "up", 30, 300),
    Signal("cpu_utilization", "ratio of request", "up", 0.15),
    Signal("memory_utilization", "ratio of limit", "up", 0.1),
    Signal("restarts", "restarts per 15 min", "up", 2, 3),
    Signal("pods_waiting", "pods", "up", 0.5, 0.5),
)
CALM = {
    "request_rate": 20.0,
    "error_ratio": 0.001,
    "latency_p95": 80.0,
    "cpu_utilization": 0.5,
    "memory_utilization": 0.5,
    "restarts": 0.0,
    "pods_waiting": 0.0,
}
COLUMN = {signal.name: index for index, signal in enumerate(SIGNALS)}
TIMES = np.arange(NOW_S - HOURS * 3600, NOW_S + 1, STEP_S, dtype=np.int64)
SOURCES = ("image", *context.AROUND_ONSET)


def workload(name: str, kind: str = "Deployment") -> Workload:
    return Workload("prod-eu", "shop", kind, name)


class Shop:
    """Calm workloads, one `web` calling the others; tests break what they are about."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.kinds = dict.fromkeys(names, "Deployment")
        self.values = np.zeros((len(names), len(SIGNALS), len(TIMES)), dtype=np.float32)
        for signal, level in CALM.items():
            self.values[:, COLUMN[signal]] = level
        self.incidents: dict[str, Incident] = {}
        self.rows: dict[str, list[tuple[dict[str, str], np.ndarray]]] = {name: [] for name in SOURCES}
        self.dropped: set[str] = set()
        for name in names:
            self.replicas(name, 4)
            self.image(name, "1.0.0")
            self._row("cpu_throttled", self._of(name), self._flat(0.0))

    def set(self, name: str, signal: str, level: float, *, since: int, until: int = 0) -> Shop:
        """Set a signal from `since` to `until` minutes ago."""
        self.values[self.names.index(name), COLUMN[signal]][_span(since, until)] = level
        return self

    def fire(
        self,
        name: str,
        *signals: str,
        onset: int = 30,
        state: State = State.FIRING,
        verdict: Verdict = Verdict.ANOMALOUS,
        coverage: float = 1.0,
        familiar: Familiar | None = None,
    ) -> Shop:
        """Open an incident on signals whose level now is what `set` made it."""
        onset_s = NOW_S - onset * 60
        row = self.values[self.names.index(name)]
        breaches = tuple(
            Breach(s, float(row[COLUMN[s], -1]), CALM[s], SIGNALS[COLUMN[s]].unit, 2.0, onset_s, NOW_S)
            for s in signals
        )
        self.incidents[name] = Incident(
            workload(name, self.kinds[name]),
            verdict,
            state,
            onset_s,
            breaches,
            2.0,
            "lstm",
            None,
            coverage,
            NOW_S,
            50 * 3600,
            familiar,
        )
        return self

    def image(
        self, name: str, tag: str, *, at: int | None = None, container: str = "", repo: str = ""
    ) -> Shop:
        """Run a tag; with `at`, it takes over from what ran before, `at` minutes ago."""
        container = container or name
        present = self._flat(1.0)
        if at is not None:
            present[~_span(at, 0)] = np.nan
            for labels, values in self.rows["image"]:
                if labels["workload"] == name and labels["container"] == container:
                    values[_span(at - 4, 0)] = np.nan
        spec = tag if "/" in tag else f"{repo or 'registry.example.com:5000/shop/' + container}:{tag}"
        self._row("image", self._of(name) | {"container": container, "image_spec": spec}, present)
        return self

    def calls(
        self,
        source: str,
        to: str,
        rate: float,
        *,
        before: float | None = None,
        errors: float = 0.0,
        onset: int = 30,
    ) -> Shop:
        """Let `source` call `to`; `before` and no errors until `onset` minutes ago."""
        labels = {
            "cluster": "prod-eu",
            "source_workload_namespace": "shop",
            "source_workload": source,
            "destination_workload_namespace": "shop",
            "destination_workload": to,
        }
        rates, ratios = self._flat(rate), self._flat(0.0)
        if before is not None:
            rates[~_span(onset, 0)] = before
        ratios[_span(onset, 0)] = errors
        self._row("call_rate", labels, rates)
        self._row("call_error_ratio", labels, ratios)
        return self

    def version(
        self,
        name: str,
        version: str,
        rate: float,
        errors: float,
        latency: float,
        *,
        since: int,
        until: int = 0,
    ) -> Shop:
        """Let one version serve from `since` to `until` minutes ago."""
        labels = {
            "cluster": "prod-eu",
            "destination_workload_namespace": "shop",
            "destination_workload": name,
            "destination_version": version,
        }
        for source, level in (
            ("version_rate", rate),
            ("version_error_ratio", errors),
            ("version_latency_p95", latency),
        ):
            values = self._flat(np.nan)
            values[_span(since, until)] = level
            self._row(source, labels, values)
        return self

    def replicas(self, name: str, desired: int, available: int | None = None) -> Shop:
        self._only("replicas_desired", self._of(name), self._flat(desired))
        self._only(
            "replicas_available", self._of(name), self._flat(desired if available is None else available)
        )
        return self

    def kind(self, name: str, kind: str) -> Shop:
        self.kinds[name] = kind
        return self

    def hpa(self, name: str, low: int, high: int, current: int, *, limited: bool) -> Shop:
        labels = {
            "cluster": "prod-eu",
            "namespace": "shop",
            "horizontalpodautoscaler": name,
            "scaletargetref_kind": "Deployment",
            "scaletargetref_name": name,
        }
        for source, level in (
            ("hpa_min", low),
            ("hpa_max", high),
            ("hpa_current", current),
            ("hpa_limited", limited),
        ):
            self._row(source, labels, self._flat(float(level)))
        return self

    def context_row(self, source: str, name: str, level: float, **labels: str) -> Shop:
        """Add one row of any context query about a workload."""
        key = "deployment" if source.startswith("rollout") else "workload"
        self._row(source, {"cluster": "prod-eu", "namespace": "shop", key: name} | labels, self._flat(level))
        return self

    def row(
        self,
        source: str,
        level: float,
        *,
        since: int = 3000,
        until: int = 0,
        rest: float = np.nan,
        **labels: str,
    ) -> Shop:
        """Add one row of any query: `level` from `since` to `until` minutes ago, `rest` elsewhere."""
        values = self._flat(rest)
        values[_span(since, until)] = level
        self._row(source, {"cluster": "prod-eu"} | labels, values)
        return self

    def template(self, name: str, template: str, *, at: int | None = None) -> Shop:
        """Run a ReplicaSet; with `at`, it takes over from what ran before, `at` minutes ago."""
        if at is not None:
            for labels, values in self.rows["pod_template"]:
                if labels["workload"] == name:
                    values[_span(at - 4, 0)] = np.nan
        return self.row(
            "pod_template",
            4,
            since=3000 if at is None else at,
            namespace="shop",
            workload=name,
            template=template,
        )

    def drop(self, *sources: str) -> Shop:
        """Lose context sources altogether."""
        self.dropped |= set(sources)
        return self

    def answers(self, order: np.random.Generator | None = None) -> dict[str, Answer]:
        """Return all answers on the full grid, in a shuffled order of series if asked."""
        made: dict[str, Answer] = {}
        for source, rows in self.rows.items():
            if source in self.dropped:
                continue
            places = list(range(len(rows))) if order is None else list(order.permutation(len(rows)))
            values = np.stack([rows[i][1] for i in places]) if rows else np.zeros((0, len(TIMES)))
            made[source] = Answer(_query(source), tuple(rows[i][0] for i in places), values, TIMES)
        return made

    @property
    def panel(self) -> Panel:
        workloads = tuple(workload(name, self.kinds[name]) for name in self.names)
        return Panel(self.values, TIMES, STEP_S, workloads, SIGNALS)

    def diagnose(self, order: np.random.Generator | None = None) -> dict[str, Diagnosis]:
        """Assemble contexts and diagnose, as the pipeline does."""
        incidents = list(self.incidents.values())
        if order is not None:
            incidents = [incidents[i] for i in order.permutation(len(incidents))]
        self.contexts = context.assemble(self.answers(order), incidents, self._kinds(), NOW_S)
        queries = {name: _query(name) for name in (*SOURCES, *COLUMN)}
        found = diagnosis.diagnose(incidents, self.contexts, self.panel, _scores(self.panel), queries)
        return {one.workload.name: one for one in found}

    def decide(
        self,
        name: str,
        *targets: Target,
        limits: Limits = LIMITS,
        order: np.random.Generator | None = None,
    ) -> Decision:
        """Return the decision about one workload; `targets` are what the repository says."""
        found = self.diagnose(order)[name]
        incident = self.incidents[name]
        asked = self.contexts[incident.workload]
        known: Mapping[FieldName, Target] = {target.field: target for target in targets}
        wanted = {field: known[field] for field in policy.fields(found, asked) if field in known}
        return policy.decide(incident, found, asked, wanted, limits, self.panel)

    def _kinds(self) -> dict[tuple[str, str, str], str]:
        return {("prod-eu", "shop", name): kind for name, kind in self.kinds.items()}

    def _of(self, name: str) -> dict[str, str]:
        return {"cluster": "prod-eu", "namespace": "shop", "workload": name}

    def _flat(self, level: float) -> np.ndarray:
        return np.full(len(TIMES), level, dtype=np.float64)

    def _row(self, source: str, labels: dict[str, str], values: np.ndarray) -> None:
        self.rows[source].append((labels, values))

    def _only(self, source: str, labels: dict[str, str], values: np.ndarray) -> None:
        self.rows[source] = [row for row in self.rows[source] if row[0] != labels]
        self._row(source, labels, values)


def tag_target(
    name: str,
    *values: tuple[str, float],
    touched: tuple[str, ...] = (),
    refusal: str | None = None,
    file: str = "clusters/prod-eu/kustomization.yaml",
) -> Target:
    """Return where a tag lives; `values`: (tag, hours ago it was committed), newest first."""
    history = tuple(
        PastValue(
            value,
            f"{index:040x}",
            int(NOW_S - hours * 3600),
            None if index == 0 else int(NOW_S - values[index - 1][1] * 3600),
            touched if index == 0 else (),
        )
        for index, (value, hours) in enumerate(values)
    )
    place = Place(file, 0, ("images", 0, "newTag"), values[0][0], 0, 5, "Kustomization")
    winner = None if refusal else place
    return Target(workload(name), "image.tag", (place,), winner, None, history, refusal)


def count_target(name: str, field: FieldName, value: str, *, owner: str | None = None) -> Target:
    """Return where replicas or a bound lives. Replicas that an autoscaler owns are refused."""
    place = Place(f"base/{name}.yaml", 0, ("spec", "replicas"), value, 0, 1, "Deployment")
    refusal = f"owned by {owner}" if owner and field == "replicas" else None
    return Target(workload(name), field, (place,), None if refusal else place, owner, (), refusal)


def _span(since: int, until: int) -> np.ndarray:
    return (NOW_S - since * 60 <= TIMES) & (NOW_S - until * 60 >= TIMES)


def _query(name: str) -> Query:
    return Query(name, f"query of {name}", "", (), namespace_label="", workload_label="")


def _scores(panel: Panel) -> Scores:
    empty = np.full((len(panel.workloads), len(SIGNALS), 1), np.nan, dtype=np.float32)
    count = len(panel.workloads)
    return Scores(
        empty,
        empty[:, 0],
        empty,
        empty,
        empty,
        TIMES[-1:],
        STEP_S,
        panel.workloads,
        SIGNALS,
        ("lstm",) * count,
        (None,) * count,
    )


def grid() -> Grid:
    return Grid(int(TIMES[0]), NOW_S, STEP_S)


def bad_release(tag: str = "2.0.0", *, errors: float = 0.3, at: int = 32) -> Shop:
    """Return the plain case: api fails since a release, web calls it and fails with it."""
    shop = Shop("web", "api").calls("web", "api", 20, errors=errors).calls("gateway", "web", 20)
    shop.image("api", tag, at=at)
    shop.version("api", "1.0.0", 5, 0.001, 80, since=200, until=at - 9)
    shop.version("api", tag, 20, errors, 80, since=at)
    shop.set("api", "error_ratio", errors, since=30).fire("api", "error_ratio")
    return shop.set("web", "error_ratio", errors * 0.9, since=30).fire("web", "error_ratio")


def surge(factor: float = 2.0) -> Shop:
    """Return the other plain case: search gets more requests from outside and is throttled."""
    shop = Shop("search", "db").calls("gateway", "search", 20 * factor, before=20)
    shop.set("search", "request_rate", 20 * factor, since=30).set("search", "latency_p95", 900, since=30)
    shop.set("search", "cpu_utilization", 1.3, since=30)
    return shop.fire("search", "latency_p95", "request_rate", "cpu_utilization")


def good_target(name: str = "api", tag: str = "2.0.0") -> Target:
    """Return a tag that was released 35 minutes ago, over one that ran for ten days."""
    return tag_target(name, (tag, 0.58), ("1.0.0", 240))
