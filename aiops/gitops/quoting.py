"""Whether every YAML reader takes an unquoted scalar for the same text."""

from __future__ import annotations

import re

from aiops.gitops.nodes import resolve_plain
from aiops.gitops.proof import type_12

# What a version or an image name can be made of; nothing in it needs escaping in any quoting style.
SAFE = re.compile(r"[A-Za-z0-9_.:/@+=-]{1,512}")
# Other YAML 1.1 readers (go-yaml v2, Ruby) take these for numbers, dates or booleans too.
_NUMBER_LIKE = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?"  # 3, 0123, 1_000, 1.10, 1e3
    r"|[-+]?[0-9][0-9_]*(?::[0-9]+)+(?:\.[0-9]*)?"  # base 60: 12:30
    r"|0[xob][0-9a-fA-F_]+"
    r"|[eE][-+]?[0-9]+"  # e033527, a short commit id: the npm package `yaml`, by YAML 1.1
)
_WORD_LIKE = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})


def reads_as_text(value: str) -> bool:
    """Tell whether every YAML reader takes the unquoted value for the same string.

    Field guide: 5.6 % of short commit ids look like a number to some reader (helm#3246).
    """
    if value.lower().lstrip(".+-") in _WORD_LIKE or _NUMBER_LIKE.fullmatch(value):
        return False
    return resolve_plain(value) == "str" and type_12(value) == "str" and value[0] not in "-:@.="
