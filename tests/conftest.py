"""Fixtures that every folder of tests may use; the real components themselves are in `real.py`."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
import real
from hypothesis import HealthCheck, settings

# Two busy cores make any example slow: time is not what these tests are about. The same examples on
# every machine: a suite that fails here and not there helps nobody; longer hunts are commands.
settings.register_profile(
    "aiops", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("aiops")

# A person's own settings must not reach a test: a token would be used, a proxy would be asked.
_OURS_NOT_THEIRS = ("GITHUB_", "GH_", "AIOPS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the file that takes longest first: begun last, it would leave every other core idle beside it."""
    items.sort(key=lambda item: item.path.name != "test_real_prometheus.py")


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Iterator[None]:
    """Refuse every connection and every name look-up that would leave this machine, in all tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.upper().startswith(_OURS_NOT_THEIRS):
                patch.delenv(name)
        for method in ("connect", "connect_ex"):
            patch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))
        patch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
        yield


@pytest.fixture
def start_prometheus() -> Iterator[Callable[..., str]]:
    """Return `start(data_dir, config_text=None) -> base URL`; what it started ends with the test."""
    with ExitStack() as stack:
        yield _entering(stack, real.running_prometheus)


@pytest.fixture
def start_emulate() -> Iterator[Callable[..., real.Emulator]]:
    """Return `start(seed) -> Emulator(base_url, token)`; what it started ends with the test."""
    with ExitStack() as stack:
        yield _entering(stack, real.running_emulate)


@pytest.fixture
def backfill() -> Callable[..., None]:
    """Return `backfill(openmetrics, data_dir)`: a file, or chunks of text, into Prometheus blocks."""
    return real.backfill


@pytest.fixture
def checkout() -> Path:
    """Return the root of this checkout."""
    return real.CHECKOUT


def _entering(stack: ExitStack, running: Callable[..., AbstractContextManager[Any]]) -> Callable[..., Any]:
    def start(*args: object, **kwargs: object) -> object:
        return stack.enter_context(running(*args, **kwargs))

    return start


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> object:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            pytest.fail(f"a test tried to reach {address[0]}; only this machine is allowed")
        return connect(self, address)

    return guarded


def _guarded_lookup(lookup: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *args: object, **kwargs: object) -> object:
        if host is not None and not _is_loopback(host):
            raise socket.gaierror(socket.EAI_NONAME, "a test looked up a name that is not this machine's")
        return lookup(host, *args, **kwargs)

    return guarded


def _is_loopback(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
