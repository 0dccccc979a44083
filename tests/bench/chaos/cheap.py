"""What makes a trial of `make chaos` cheap: ten thousand of them are half a million calls.

Nothing that is killed, raced or judged is replaced. Every call still crosses a socket of its own
runner, and the deadline, the threads and PyGithub are the program's. Only two things are: what
`requests` does around the bytes of one exchange, which is a third of a trial, and pure functions over
the same commit, which every runner of every trial asks the same. The trials with a single kill go
without the first.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from aiops.domain import Plan, PlanItem
from aiops.edges import github_client
from aiops.edges.github_client import Reply
from aiops.gitops import edits, where
from aiops.propose import proposal


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Let what is asked of one commit be computed once; a refusal is computed each time."""
    resolve, of, compose = where.resolve, edits.of, proposal.compose
    where.resolve = _kept(resolve, lambda files, *more: (files.sha, *more))
    edits.of = _kept(of, lambda files, *more: (files.sha, *more))
    proposal.compose = _kept(compose, _of_compose)
    try:
        yield
    finally:
        where.resolve, edits.of, proposal.compose = resolve, of, compose


def _of_compose(
    item: PlanItem, plan: Plan, _contents: Any, _modes: Any, *more: Any, **named: Any
) -> Hashable:
    """Return what a text depends on; contents and modes follow from the commit and the item."""
    return (
        item,
        plan.base,
        plan.base_sha,
        plan.data_time_s,
        plan.guardrails,
        plan.judge,
        more,
        *((name, tuple(one.items()) if isinstance(one, Mapping) else one) for name, one in named.items()),
    )


def _kept(ask: Callable[..., Any], key: Callable[..., Hashable]) -> Callable[..., Any]:
    known: dict[Hashable, Any] = {}

    def answer(*given: Any, **named: Any) -> Any:
        wanted = key(*given, **named)
        if wanted not in known:
            known[wanted] = ask(*given, **named)
        return known[wanted]

    return answer


@contextlib.contextmanager
def bare_sockets() -> Iterator[None]:
    """Exchange without `requests`: one connection for each runner, kept alive."""
    exchange = github_client.Connection._exchange
    github_client.Connection._exchange = _exchange  # type: ignore[method-assign]
    try:
        yield
    finally:
        github_client.Connection._exchange = exchange  # type: ignore[method-assign]


def _exchange(
    self: Any, verb: str, url: str, body: str | None, headers: Mapping[str, str], timeout_s: float
) -> Reply:
    parts = urlsplit(url)
    lines = self.__dict__.get("lines")
    if lines is None:
        made = socket.create_connection((parts.hostname, parts.port), timeout_s)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = self.lines = made.makefile("rwb")
        made.close()  # the file keeps it open, and closes it when the run is gone
    sent = (body or "").encode()
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    head = [f"{verb} {path} HTTP/1.1", f"Host: {parts.netloc}", f"Authorization: Bearer {self.token}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    lines.write("\r\n".join([*head, f"Content-Length: {len(sent)}", "", ""]).encode() + sent)
    lines.flush()
    status = int(lines.readline().split()[1])
    shown = {}
    while (line := lines.readline().strip()) != b"":
        name, _, value = line.decode().partition(": ")
        shown[name.lower()] = value
    return Reply(status, shown, lines.read(int(shown.get("content-length", 0))).decode())
