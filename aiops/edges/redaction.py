"""Secrets taken out of text before anybody sees it.

Comes in: an error text that a library or a server wrote, and the secrets of this run. Goes out: the
same text with each secret, and each encoding of it, replaced by `***`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

# GitHub's token shapes, JSON web tokens, passwords in URLs, private keys: also those of other systems.
_SHAPES = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*|(?<=://)[^/\s@]+(?=@)"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?s:.)*?(?:-----END|\Z)"
)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return one line of `text` without the secrets, as they are, base64 or URL-encoded."""
    for secret in sorted(
        {form for one in secrets for text in (one, one.strip()) if text for form in _forms(text)},
        key=len,
        reverse=True,
    ):
        text = text.replace(secret, "***")
    return " ".join(_SHAPES.sub("***", text).split())[:500]


def _forms(secret: str) -> set[str]:
    forms = {secret, quote(secret, safe=""), quote_plus(secret)}
    # A secret inside a longer base64 text starts at one of three offsets; the whole middle of each
    # encoding is the same whatever stands around it. `x-access-token:` is GitHub's basic auth user.
    for before in ("", "a", "aa", "x-access-token:", "x-oauth-basic:"):
        raw = (before + secret).encode()
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            start = -(-len(before) * 8 // 6) + (1 if len(before) % 3 else 0)
            text = encode(raw).decode().rstrip("=")
            forms.add(text[start:-1] if len(raw) % 3 else text[start:])
    return {form for form in forms if len(form) >= 6}
