"""Links to where the reader can look further: Prometheus, and whatever keeps logs and traces.

Comes in: addresses from `aiops.yaml` (`external_url`, `links`), a query or a workload, a window. Goes
out: an address in which everything of theirs that is not a letter or a digit is written as %XX, so
that nothing of a label can end a Markdown link, start another, or read as a reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from aiops.domain import Workload

MAX_LINK = 4_000  # characters; browsers and servers take 8,000
# No user, no query, no word that GitHub reads as an issue; the address stands in a public text.
EXTERNAL_URL = r"^https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?(?:/[A-Za-z0-9_.~-]+)*/?$"
_FIELDS = (
    *("cluster", "namespace", "kind", "workload"),
    *(f"{end}_{unit}" for end in ("from", "to") for unit in ("s", "ms", "us")),
)
# The same address, a query of harmless characters behind it, and {fields} that a run fills in.
TEMPLATE = (
    r"^https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?(?:/[A-Za-z0-9_.~%/-]*)?"
    rf"(?:[?#](?:[A-Za-z0-9_.~%=&+,:;/?#-]|\{{(?:{'|'.join(_FIELDS)})\}})*)?$"
)
_REFERS = re.compile(r"(?i)/(?:issues|pull|discussions|commit)(?:/|$)")
_LAST_S = 253_402_300_799


def is_external(url: str) -> bool:
    """Tell whether an address may stand in a pull request."""
    return re.fullmatch(EXTERNAL_URL, url) is not None and _REFERS.search(url) is None


def graph(base: str, query: str, start_s: int, end_s: int) -> str:
    """Return the address of the graph of `query` over [start_s, end_s]; "" without a base, or too long.

    Prometheus 3 sends `/graph` on to its own page with the same parameters; 2 answers it itself.
    """
    if not is_external(base) or not query or not 0 <= start_s <= end_s <= _LAST_S:
        return ""
    minutes = max((end_s - start_s) // 60, 1)
    end = f"{datetime.fromtimestamp(end_s, UTC):%Y-%m-%d %H:%M:%S}"
    pairs = (("g0.expr", query), ("g0.tab", "0"), ("g0.range_input", f"{minutes}m"), ("g0.end_input", end))
    found = f"{base.rstrip('/')}/graph?" + "&".join(f"{name}={_quoted(value)}" for name, value in pairs)
    return found if len(found) <= MAX_LINK else ""


def elsewhere(
    templates: Mapping[str, str], workload: Workload, start_s: int, end_s: int
) -> tuple[tuple[str, str], ...]:
    """Return (name, address) of every template about a workload over [start_s, end_s], by name.

    One that does not check out, would be too long, or that GitHub would read as a reference is left out.
    """
    values = {
        "cluster": workload.cluster,
        "namespace": workload.namespace,
        "kind": workload.kind,
        "workload": workload.name,
        **{
            f"{end}_{unit}": str(at_s * factor)
            for end, at_s in (("from", start_s), ("to", end_s))
            for unit, factor in (("s", 1), ("ms", 1_000), ("us", 1_000_000))
        },
    }
    found = []
    for name, template in sorted(templates.items()):
        url = re.sub(r"\{(\w+)\}", lambda match: _quoted(values.get(match[1], "")), template)
        usable = re.fullmatch(TEMPLATE, template) and not _REFERS.search(url) and len(url) <= MAX_LINK
        found += [(name, url)] if usable else []
    return tuple(found)


def _quoted(text: str) -> str:
    return "".join(
        char if char.isascii() and char.isalnum() else "".join(f"%{byte:02X}" for byte in raw)
        for char in text
        for raw in (char.encode("utf-8", "replace"),)
    )
