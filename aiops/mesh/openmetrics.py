"""OpenMetrics text of a simulation, as a stream of chunks.

Format: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md (families
together, counters end in `_total`, times in seconds, `# EOF`). `promtool tsdb create-blocks-from
openmetrics` reads it. One chunk per series, so memory stays at one family.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from aiops.mesh.exposition import exposition
from aiops.mesh.families import Family
from aiops.mesh.plant import Trace


def text(trace: Trace, start_s: int | None = None) -> Iterator[bytes]:
    """Yield the text of all samples from `start_s` on (default: all), ending with `# EOF`."""
    first = 0 if start_s is None else int(np.searchsorted(trace.times, start_s))
    ends = [f" {time}\n" for time in trace.times.tolist()]
    for family in exposition(trace):
        yield from _family(family, ends, first)
    yield b"# EOF\n"


def _family(family: Family, ends: list[str], first: int) -> Iterator[bytes]:
    """Yield the head of a family, then one chunk per series. `ends`: the end of a line per minute."""
    yield f"# TYPE {family.name} {family.kind}\n# HELP {family.name} {escape(family.text)}\n".encode()
    for one in family.series:
        values = one.values[max(0, first - one.begin) :]
        begin = one.begin + one.values.size - values.size
        kept = np.flatnonzero(~np.isnan(values))
        held = values[kept]
        # A whole number is written without a point: shorter, and exact at any size.
        whole = bool((held == np.floor(held)).all())
        numbers = held.astype(np.int64).tolist() if whole else held.tolist()
        head = f"{one.metric}{{{_labels(one.labels)}}} "
        rows = zip(numbers, kept.tolist(), strict=True)
        yield "".join([f"{head}{number}{ends[begin + minute]}" for number, minute in rows]).encode()


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{key}="{escape(value)}"' for key, value in sorted(labels.items()))


def escape(value: str) -> str:
    """Return a label value or help text with backslash, quote and line feed escaped."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
