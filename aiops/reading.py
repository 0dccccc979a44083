"""What a run reads, and what it makes of an answer that is not whole.

Signals must be complete: a hole must not look like calm. Context may be missing, which lowers what
can be claimed. Nothing here knows where samples come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from aiops.detect import windows
from aiops.detect.settings import History
from aiops.diagnose import context, outlook, silenced
from aiops.domain import Answer, Context, Grid, Incident, Panel, Query, Workload
from aiops.errors import AiopsError, DataUnusable
from aiops.ingest import panels
from aiops.job import Job
from aiops.ports import Metrics, Silences


class Reader:
    """Reads through the port, refuses partial answers, and keeps count.

    `samples`: what all answers together touched, None when the source does not tell.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._notices: set[str] = set()
        self.samples: int | None = 0

    @property
    def notices(self) -> tuple[str, ...]:
        """One line for each name that cannot be a workload and was left out, sorted."""
        return tuple(sorted(self._notices))

    def read(self, query: Query, grid: Grid) -> Answer:
        """Answer one query. Raises DataUnusable for an answer that the server itself calls partial."""
        answer = self._metrics.read(query, grid)
        if answer.warnings:
            raise DataUnusable(
                f"the answer is partial: {answer.warnings[0]}",
                where=f"query {answer.query.name}",
                todo="check remote_read and the stores behind this Prometheus",
            )
        told = self.samples is not None and answer.samples is not None
        self.samples = (self.samples or 0) + (answer.samples or 0) if told else None
        self._notices.update(panels.dropped((answer,)))
        return answer


def read_history(job: Job, reader: Reader, now_s: int) -> tuple[History, dict[tuple[str, str, str], str]]:
    """Read every signal on every window the detector wants; the kinds of the workloads beside it."""
    wanted = windows.wanted(now_s, job.step_s)
    kind_query = next(query for query in job.context if query.name == "workload_kind")
    kinds = panels.workload_kinds(reader.read(kind_query, wanted.recent))

    def panel(grid: Grid) -> Panel:
        return panels.assemble([reader.read(query, grid) for query in job.signals], kinds)

    recent = panel(wanted.recent)
    if not recent.workloads:
        raise DataUnusable(
            "the queries of `signals` returned no workload",
            todo="check that the exporters are scraped and that this is the right Prometheus",
        )
    week_ago = panel(wanted.week_ago) if wanted.week_ago else None
    return History(recent, week_ago, panel(wanted.reference), wanted.judged_from_s), kinds


def read_outlook(job: Job, reader: Reader, now_s: int) -> dict[str, Answer]:
    """Read what may run into a bound. A source that fails is left out: this only adds to a report."""
    return _read_some(job, reader, outlook.wanted(now_s))


def read_context(job: Job, reader: Reader, incidents: tuple[Incident, ...], now_s: int) -> dict[str, Answer]:
    """Read what the open incidents make us want to know. A source that fails is left out."""
    return _read_some(job, reader, context.wanted(incidents, now_s, job.step_s))


def read_silences(
    silences: Silences | None, contexts: Mapping[Workload, Context], answers: Mapping[str, Answer], now_s: int
) -> dict[Workload, Context]:
    """Return the contexts with what mutes them; "silences" is missing where Alertmanager does not answer."""
    if silences is None:
        return dict(contexts)
    alerts = {one: silenced.as_alerts(answers, one) for one in contexts}
    try:
        muted = {one: silences.muting(sets, now_s) for one, sets in alerts.items()}
    except AiopsError:
        return {
            one: replace(context, missing=tuple(sorted({*context.missing, "silences"})))
            for one, context in contexts.items()
        }
    return {
        one: replace(
            context,
            around=replace(context.around, silences=tuple(sorted({name for name in muted[one] if name}))),
        )
        for one, context in contexts.items()
    }


def _read_some(job: Job, reader: Reader, wanted: Iterable[tuple[str, Grid]]) -> dict[str, Answer]:
    queries = {query.name: query for query in job.context}
    answers = {}
    for name, grid in wanted:
        if name not in queries:  # this source of requests has no such thing to tell
            continue
        try:
            answers[name] = reader.read(queries[name], grid)
        except DataUnusable:
            continue
    return answers
