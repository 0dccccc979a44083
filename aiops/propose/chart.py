"""The picture of a proposal: what was observed against what was expected, around the onset.

Comes in: the panel and the scores of one run. Goes out: at most 24 points of the signal that broke
worst, and later the Mermaid text that GitHub draws. Missing samples stay missing: a column without
an observation is left out, never drawn as zero.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from aiops.domain import Chart, FloatArray, Incident, Panel, Scores, TimesArray

MAX_POINTS = 24
_BEFORE_S = 3_600  # healthy time shown before the onset
_BEFORE_END_S = 7_200  # what helped was merged an hour before the end at most, and something came before it
# Named colours: a hex colour reads as an issue reference in a squash commit. Mermaid's own first
# colour is nearly white on white, and xychart has no legend, so the text names them.
COLOURS = ("lightsteelblue", "crimson", "slategray", "orange")
LEGEND = "Red line: observed. Grey line: expected. Orange line: upper edge of what is expected."
# Wide and low, so that text and picture share a screen and 24 labels do not touch; without a ground of its
# own, because Mermaid's dark one is not the page's.
_LOOK = (
    '%%{init: {"xyChart": {"width": 900, "height": 360, "titleFontSize": 16, "xAxis": {"labelFontSize": 12}},'
    f' "themeVariables": {{"xyChart": {{"backgroundColor": "transparent",'
    f' "plotColorPalette": "{", ".join(COLOURS)}"}}}}}}}}%%'
)
# Mermaid leaves this share of the range free below the lowest value; a bar that ends there has no height.
_FOOT = 0.032


def sample(incident: Incident, panel: Panel, scores: Scores) -> Chart | None:
    """Return the chart of the signal that broke worst, None when there is nothing to draw.

    One that users notice comes first: whether a change helps is not seen on the load that it met.
    `panel` and `scores` may lie on different grids; what is drawn is the steps of `scores`.
    """
    if not incident.signals or incident.onset_s is None:
        return None
    floors = {signal.name: signal.floor for signal in scores.signals}
    harms = [one for one in incident.signals if one.observed >= (floors.get(one.signal) or math.inf)]
    worst = (harms or incident.signals)[0]
    return _drawn(incident, worst.signal, incident.onset_s, panel, scores)


def ended(incident: Incident, panel: Panel, scores: Scores) -> Chart | None:
    """Return the chart of the signal that was worst before an incident ended, from then until now.

    Of those that users notice, when one of them was outside what is expected.
    """
    if incident.ended_s is None or incident.workload not in scores.workloads:
        return None
    then = (scores.times >= incident.ended_s - _BEFORE_S) & (scores.times <= incident.ended_s)
    seen = scores.values[scores.workloads.index(incident.workload)][:, then]  # [S, K]
    worst = np.where(np.isfinite(seen), seen, -np.inf).max(axis=1, initial=-np.inf)  # [S]
    harms = np.array([signal.floor is not None for signal in scores.signals]) & (worst > 1.0)  # [S]
    worst = np.where(harms, worst, -np.inf) if harms.any() else worst
    if not len(worst) or not math.isfinite(worst.max()):
        return None
    name = scores.signals[int(worst.argmax())].name
    return _drawn(incident, name, incident.ended_s, panel, scores, _BEFORE_END_S)


def _drawn(
    incident: Incident, name: str, mark_s: int, panel: Panel, scores: Scores, before_s: int = _BEFORE_S
) -> Chart | None:
    """Return the chart of one signal, from an hour or so before `mark_s`, which it marks."""
    score_row = _row(scores.workloads, [signal.name for signal in scores.signals], incident, name)
    panel_row = _row(panel.workloads, [signal.name for signal in panel.signals], incident, name)
    if score_row is None or panel_row is None:
        return None
    observed = on_grid(panel.values[panel_row], panel.times, scores.times)  # [T]
    start = mark_s - before_s
    keep = scores.times >= start  # [T] -> [K]
    return thin(
        name,
        panel.signals[panel_row[1]].unit,
        scores.times[keep],
        observed[keep],
        scores.expected[score_row][keep],
        scores.upper[score_row][keep],
        mark_s,
    )


def thin(
    signal: str,
    unit: str,
    times: TimesArray,
    observed: FloatArray,
    expected: FloatArray,
    upper: FloatArray,
    onset_s: int,
) -> Chart | None:
    """Return at most 24 points; each is the mean of as many steps as it takes. All inputs [T].

    The three lines get the same treatment, so thinning cannot push one of them over another.
    """
    if not len(times):
        return None
    stride = math.ceil(len(times) / MAX_POINTS)
    # From the end, so that the newest step is in a full bucket: [T] -> [P, stride], front padded.
    lines = [buckets(line, stride) for line in (observed, expected, upper)]
    ends = times[::-1][::stride][::-1]
    return Chart(signal, unit, tuple(int(end) for end in ends), lines[0], lines[1], lines[2], onset_s)


def mermaid(chart: Chart, mark: str = "onset") -> str:
    """Return the text of a Mermaid xychart, "" when fewer than two columns can be drawn.

    `mark`: what is at `chart.onset_s`, which the bar marks.

    Contains only numbers and words of `[A-Za-z0-9 _.]`: names of signals may be a user's.
    """
    times = 100.0 if chart.unit.startswith("ratio") else 1.0
    columns = [
        (at_s, seen * times, expected * times, None if upper is None else upper * times)
        for at_s, seen, expected, upper in zip(
            chart.times_s, chart.observed, chart.expected, chart.upper, strict=True
        )
        if seen is not None and expected is not None
    ]
    if len(columns) < 2:
        return ""
    top = max(max(seen, expected, upper or 0.0) for _, seen, expected, upper in columns)
    bottom = min(0.0, *(min(seen, expected) for _, seen, expected, _ in columns))
    top = top if top > bottom else bottom + 1.0
    first_bad = _marked(chart, [column[0] for column in columns])
    foot = bottom - _FOOT * (top - bottom)
    bars = [top if place == first_bad else foot for place in range(len(columns))]
    labels = ", ".join(f'"{_minutes(column[0] - chart.onset_s)}"' for column in columns)
    lines = [
        _LOOK,
        "xychart-beta",
        f'  title "{_words(chart.signal)}"',
        f'  x-axis "minutes since the {mark}" [{labels}]',
        f'  y-axis "{unit(chart)}" {_number(bottom)} --> {_number(top)}',
        f"  bar [{', '.join(_number(bar) for bar in bars)}]",
        f"  line [{', '.join(_number(column[1]) for column in columns)}]",
        f"  line [{', '.join(_number(column[2]) for column in columns)}]",
    ]
    if all(column[3] is not None for column in columns):
        lines.append(f"  line [{', '.join(_number(column[3] or 0.0) for column in columns)}]")
    return "\n".join(lines)


def has_mark(chart: Chart) -> bool:
    """Tell whether the bar is in the picture: an old incident began, or a merge came, left of it."""
    drawn = zip(chart.times_s, chart.observed, chart.expected, strict=True)
    return _marked(chart, [at_s for at_s, *lines in drawn if None not in lines]) is not None


def _marked(chart: Chart, drawn_s: Sequence[int]) -> int | None:
    """Return the column of the bar, None when what it marks is outside of those."""
    began = bool(drawn_s) and chart.onset_s >= drawn_s[0]
    return next((place for place, at_s in enumerate(drawn_s) if began and at_s >= chart.onset_s), None)


def unit(chart: Chart) -> str:
    """Return the unit of the drawn numbers: ratios are drawn in percent, `req/s` is `req per s`."""
    if chart.unit.startswith("ratio"):
        return _words(f"percent{chart.unit.removeprefix('ratio')}")
    return _words(chart.unit.replace("/", " per "))


def _row(
    workloads: tuple[object, ...], signals: list[str], incident: Incident, name: str
) -> tuple[int, int] | None:
    if incident.workload not in workloads or name not in signals:
        return None
    return workloads.index(incident.workload), signals.index(name)


def on_grid(values: FloatArray, times: TimesArray, wanted: TimesArray) -> FloatArray:
    """Return `values` [T] at the times `wanted` [K]; NaN where `times` has no such step."""
    place = np.clip(np.searchsorted(times, wanted), 0, max(len(times) - 1, 0))
    if not len(times):
        return np.full(len(wanted), np.nan)
    return np.where(times[place] == wanted, values[place], np.nan)


def buckets(line: FloatArray, stride: int) -> tuple[float | None, ...]:
    """Return means of `stride` steps, [T] -> [P], the newest step in the last of them; None = no sample."""
    padded = np.concatenate([np.full(-len(line) % stride, np.nan), line])  # [T] -> [P * stride]
    buckets = padded.reshape(-1, stride)  # [P, stride]
    there = np.isfinite(buckets)
    count = there.sum(axis=1)
    total = np.where(there, buckets, 0.0).sum(axis=1)
    means = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return tuple(float(mean) if math.isfinite(mean) else None for mean in means)


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:g}"


def _number(value: float) -> str:
    """Return a plain decimal: Mermaid's grammar knows no exponent."""
    text = np.format_float_positional(np.float64(f"{value:.5g}"), trim="-")
    return "0" if text in {"-0", ""} else text


def _words(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9 _.]", " ", text)[:60].strip() or "value"
