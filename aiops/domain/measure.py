"""What a run tells about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One gauge. `samples`: (labels, value); every sample of a gauge has the same label names."""

    name: str
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]
