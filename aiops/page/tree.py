"""Elements instead of strings: what comes from metrics can never become markup.

The standard library's element tree writes the text, so that escaping is not something a caller
remembers. Refused: string templates (one forgotten escape is a hole) and Jinja2 (it would be a
dependency of the core for one page).
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET  # it writes; nothing is parsed

Element = ET.Element
Child = Element | str | None

MAX_NAME, MAX_PROSE, MAX_QUERY = 160, 600, 4_000
# Marks that hide or turn around what stands beside them; Cc, Cs: controls, halves of a pair.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def el(tag: str, *children: Child, **attributes: str) -> Element:
    """Return one element. `class_` is the attribute class, `x_y` is x-y; None children are left out."""
    made = Element(tag, {name.rstrip("_").replace("_", "-"): text for name, text in attributes.items()})
    return add(made, *children)


def add(parent: Element, *children: Child) -> Element:
    """Append text and elements in their order; return the parent."""
    for child in children:
        if child is None:
            continue
        if isinstance(child, str):
            if len(parent):
                parent[-1].tail = (parent[-1].tail or "") + child
            else:
                parent.text = (parent.text or "") + child
        else:
            parent.append(child)
    return parent


def html(element: Element) -> str:
    """Return the element as HTML."""
    return ET.tostring(element, encoding="unicode", method="html")


def shown(text: str, limit: int = MAX_PROSE) -> str:
    """Return foreign text on one line: unseen characters by their number, cut at `limit`."""
    line = " ".join(text[: limit + 1].split())
    seen = "".join(
        f"\\u{{{ord(char):x}}}" if unicodedata.category(char) in _UNSEEN else char for char in line
    )
    return seen if len(text) <= limit else seen[: limit - 1] + "…"


def link(text: str, url: str | None) -> Element:
    """Return a link, plain text unless the address is http or https without a user in it."""
    if url is None or not is_web(url):
        return el("span", text)
    return el("a", text, href=url, rel="noreferrer noopener")


def is_web(url: str) -> bool:
    """Tell whether a browser may be sent there."""
    if not re.fullmatch(r"[!-~]{1,16000}", url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
