"""What every page of ours is wrapped in: it asks for nothing, and the browser holds it to that."""

from __future__ import annotations

import base64
import hashlib

from aiops.page.style import STYLE
from aiops.page.tree import Child, el, html


def page(title: str, *body: Child) -> str:
    """Return a whole document. `title`: plain text for the tab."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("link", rel="icon", href="data:,"),
        el("style", STYLE),
    )
    return "<!doctype html>\n" + html(el("html", head, el("body", *body), lang="en")) + "\n"
