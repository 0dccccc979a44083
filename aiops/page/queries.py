"""The queries behind the evidence, each written once: many incidents quote the same long PromQL."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from aiops.page.tree import MAX_QUERY, Element, el, is_web, link, shown
from aiops.page.words import seconds

_AHEAD_S = 600  # shown after the judged step
_RANGE = "3h"


class Queries:
    """Numbers queries in the order they are first referred to.

    `prometheus`: the address people reach it at, "" = no links. It is not taken from the settings:
    inside a cluster that is another address, and one may hold a password.
    """

    def __init__(self, prometheus: str, now: str | None) -> None:
        self._numbers: dict[str, int] = {}
        self._prometheus = prometheus.rstrip("/")
        self._end_s = seconds(now)

    def refer(self, query: str) -> Element | None:
        """Return a link to the query in the list at the end, None without one."""
        if not query:
            return None
        number = self._numbers.setdefault(query, len(self._numbers) + 1)
        return el("a", f"Q{number}", href=f"#q{number}")

    def listed(self) -> list[Element]:
        """Return the section of all that were referred to."""
        if not self._numbers:
            return []
        items = [
            el(
                "li",
                el("span", f"Q{number} ", class_="name"),
                self._window(query),
                el("div", el("code", shown(query, MAX_QUERY)), class_="small"),
                id=f"q{number}",
            )
            for query, number in self._numbers.items()
        ]
        return [el("h2", "Queries"), el("ul", *items, class_="queries")]

    def _window(self, query: str) -> Element | None:
        """Return the link that opens Prometheus on the query, at the time of the run."""
        if not self._prometheus or self._end_s is None or len(query) > MAX_QUERY:
            return None
        end = moment_of(self._end_s + _AHEAD_S)
        asked = urlencode({"g0.expr": query, "g0.tab": "0", "g0.range_input": _RANGE, "g0.end_input": end})
        url = f"{self._prometheus}/graph?{asked}"
        return link("open in Prometheus", url) if is_web(url) else None


def moment_of(at_s: int) -> str:
    """Return the time as Prometheus' graph reads it: `2026-03-18 22:40:00`, UTC."""
    return dt.datetime.fromtimestamp(at_s, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
