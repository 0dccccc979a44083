"""Tells about a run as metrics, when `--export` names a place. It never changes how the run ends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from aiops import measures, terminal
from aiops.domain import Measure
from aiops.edges import exporter
from aiops.errors import AiopsError
from aiops.job import Result


class Telling:
    """One run, from now on. Raises ConfigError for an address with a password in it."""

    def __init__(self, place: str | None, half: measures.Half) -> None:
        self._place, self._half = place, half
        self._begun_s = time.monotonic()
        if place:
            exporter.is_gateway(place)

    def ended(self, result: Result, code: int) -> None:
        """Tell how a run ended, and what it found."""
        ended_s = time.time()
        self._write(measures.of(result, code, self._half, ended_s, time.monotonic() - self._begun_s))

    def failed(self, error: AiopsError) -> None:
        """Tell that a run ended before anything was judged."""
        ended_s = time.time()
        self._write(measures.failed(error, self._half, ended_s, time.monotonic() - self._begun_s))

    def _write(self, told: Iterable[Measure]) -> None:
        if not self._place:
            return
        try:
            exporter.export(self._place, self._half, told, os.environ)
        except OSError as error:
            reason = error.strerror or error
            terminal.say(f"warning: --export {self._place}: {reason}", stderr=True)
