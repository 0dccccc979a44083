"""OpenMetrics text of a simulation, as a stream of chunks.

Format: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md (families
together, counters end in `_total`, times in seconds, `# EOF`). `promtool tsdb create-blocks-from
openmetrics` reads it. One chunk per series, so memory stays at one family.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from aiops.domain import FloatArray, TimesArray
from aiops.mesh.exposition import exposition
from aiops.mesh.families import Family
from aiops.mesh.plant import Trace


def text(trace: Trace, start_s: int | None = None) -> Iterator[bytes]:
    """Yield the text of all samples from `start_s` on (default: all), ending with `# EOF`."""
    first = 0 if start_s is None else int(np.searchsorted(trace.times, start_s))
    for family in exposition(trace):
        yield from _family(family, trace.times, first)
    yield b"# EOF\n"


def _family(family: Family, times: TimesArray, first: int) -> Iterator[bytes]:
    yield f"# TYPE {family.name} {family.kind}\n# HELP {family.name} {escape(family.text)}\n".encode()
    for one in family.series:
        skip = max(0, first - one.begin)
        values = one.values[skip:]
        begin = one.begin + skip
        head = f"{one.metric}{{{_labels(one.labels)}}} "
        yield _samples(head, values, times[begin : begin + values.size])


def _samples(head: str, values: FloatArray, times: TimesArray) -> bytes:
    """Return one line per sample that is not NaN; a whole number is written without a point."""
    kept = ~np.isnan(values)
    numbers, stamps = values[kept].tolist(), times[kept].tolist()
    rows = (
        f"{head}{int(number) if number.is_integer() else number} {stamp}\n"
        for number, stamp in zip(numbers, stamps, strict=True)
    )
    return "".join(rows).encode()


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{key}="{escape(value)}"' for key, value in sorted(labels.items()))


def escape(value: str) -> str:
    """Return a label value or help text with backslash, quote and line feed escaped."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
