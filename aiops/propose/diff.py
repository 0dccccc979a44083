"""What a proposal changes, as people read it: a unified diff.

Comes in: whole files before and after. Goes out: text for a terminal; control characters of a
manifest are shown as escapes, so that a file cannot drive the reader's terminal.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
_NO_NEWLINE = "\n\\ No newline at end of file\n"


def unified(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """Return the diff of the files in `after` against `before`, sorted by path, "" when equal."""
    pieces = []
    for path in sorted(after):
        old, new = _lines(before.get(path, b"")), _lines(after[path])
        name = path.translate(_CONTROLS)
        lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
        pieces += [line if line.endswith("\n") else line + _NO_NEWLINE for line in lines]
    return "".join(pieces)


def _lines(content: bytes) -> list[str]:
    # Only \n ends a line: git sees it so, and a manifest with \r\n shows its \r.
    text = content.decode("utf-8", "backslashreplace").translate(_CONTROLS)
    *ended, last = text.split("\n")
    return [line + "\n" for line in ended] + ([last] if last else [])
