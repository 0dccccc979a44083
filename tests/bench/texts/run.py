"""`make fuzz-text N=200000`: hostile strings through everything aiops writes; none may act.

Each string stands in every place of others at once: names, labels, units, queries, claims, paths,
values. Looked at: the body and the issue of a storm (GitHub's own Markdown engine, and rules on the raw
text), title and commit message (raw rules), and each way to show a string (a grammar of runner
commands). Half are strings of the corpus, cut and joined; half are random. A planted token, plain, in
base64 and URL-encoded, may not be left in an error that carries it. Not looked at here: the table of the
terminal.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import functools
import json
import multiprocessing
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from propose import gfm, hostile, poison

from aiops import terminal
from aiops.commands import notice
from aiops.domain import Guardrail, State
from aiops.edges import redaction
from aiops.limits import LIMITS
from aiops.page import document, summary
from aiops.propose import body, inert, marker, proposal, tracking

URL = "https://prometheus.example.com"
TOKEN = "ghp_" + "c4nary/C4N+RY=" * 3  # what an encoding changes is in it
ENCODED = (
    TOKEN,
    base64.b64encode(TOKEN.encode()).decode().rstrip("="),
    quote(TOKEN, safe=""),
)
ALPHABET = "@#`|<>[]()!/\\:*_~-.wgh1 \n\r\t&;%$\"'{}=+^,?\x00\x1b\x7f\u202e\u200b\U0001f600\U000e0041é\uff20"
# The runner obeys a line that starts (after spaces) with `::name ...::`, and the older `##[name]` anywhere.
# It takes a carriage return for the end of a line.
RUNNER = re.compile(r"(?:^|[\r\n])\s*(::[A-Za-z-]+.*?::)|(##\[)")


def strings(seed: int, count: int) -> list[str]:
    """Return hostile strings; the first ones of seed 0 are the corpus itself."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    found = list(hostile.CORPUS) if seed == 0 else []
    while len(found) < count:
        if chance.random() < 0.5:
            parts = chance.choices(hostile.CORPUS, k=chance.randint(1, 4))
            cut = [one[: chance.randint(0, 60)] if chance.random() < 0.3 else one[:200] for one in parts]
            found.append(chance.choice(("", " ", "\n", "\r\n", "`", "|")).join(cut))
        else:
            found.append("".join(chance.choices(ALPHABET, k=chance.randint(0, 80))))
    return found[:count]


def live(text: str, mark: marker.Marker) -> list[str]:
    """Return where this string acts: `place: what`."""
    item, plan = poison.poisoned(text)
    acts = [f"body: {one}" for one in gfm.live(body.write(item, plan, mark, URL), URL)]
    fleet = (*plan.guardrails, Guardrail("G-STORM", tripped=True, value=text, limit=text))
    fired = replace(item, incident=replace(item.incident, state=State.FIRING))
    stormy = replace(plan, items=(fired,), guardrails=fleet)
    (issue,) = tracking.texts(stormy, (), "0" * 12, plan.data_time_s, LIMITS)
    acts += [f"issue: {one}" for one in (*gfm.live(issue.body), *gfm.raw(issue.title))]
    title = proposal._title(item, item.decision)
    message = proposal._commit_message(title, item, mark)
    acts += [f"title: {one}" for one in gfm.raw(title)]
    acts += [f"commit: {one}" for one in gfm.raw(message)]
    acts += [f"summary: {one}" for one in gfm.foreign(_summary(text))]
    acts += [f"log: {one[0] or one[1]}" for one in RUNNER.findall(_log(text, title, message))]
    noted = f"::warning title=x::{notice._data(text)}"
    acts += ["annotation"] if len(RUNNER.findall(noted)) != 1 or len(noted.splitlines()) != 1 else []
    secret = redaction.redact(f"{text} {' '.join(ENCODED)}", (TOKEN,))
    acts += [f"token: {number}" for number, one in enumerate(ENCODED) if one in secret]
    return acts


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Let one string be escaped once for all of its places: sixty of them ask the same of a pure function."""
    escape = inert._escape
    inert._escape = functools.cache(escape)
    try:
        yield
    finally:
        inert._escape = escape


def _log(text: str, *ours: str) -> str:
    """Return a log in which the text begins a line, stands in one, and in a document."""
    lines = [text, f"  {text}", f"note: {text}", json.dumps({text: [text]}, indent=1), *ours]
    lines += [inert.label(text), inert.place(text), inert.prose(text), inert.query(text)]
    return terminal.shielded("\n".join(lines))


def _summary(text: str) -> str:
    """Return a step summary in which every text of others is this one; its own links are taken out."""
    named = document.Workload(text, text, text, text)
    judged = document.Judged(named, "anomalous", text, incident=document.Incident("firing", None))
    found = document.Report(
        "aiops.report/1", 0, errors=(document.Failure(text, text, text, text),), workloads=(judged,)
    )
    return summary.markdown(found).replace("### ", "## ", 1)


def part(asked: tuple[int, int]) -> tuple[int, Counter[str], list[str]]:
    """Judge one part of the strings."""
    seed, count = asked
    mark = marker.parse(poison.marked())
    assert mark is not None
    found: Counter[str] = Counter()
    examples = []
    for text in strings(seed, count):
        with remembered():
            acts = live(text, mark)
        found.update(acts)
        if acts and len(examples) < 3:
            examples.append(f"{text[:120]!r}: {acts}")
    return count, found, examples


def main() -> int:
    """Print the counts; 1 when anything acts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    count = parser.parse_args().count
    began = time.monotonic()
    parts = [(seed, min(1_000, count - seed * 1_000)) for seed in range(-(-count // 1_000))]
    total: Counter[str] = Counter()
    done, examples = 0, []
    with multiprocessing.Pool(2) as pool:
        for size, found, shown in pool.imap_unordered(part, parts):
            done += size
            total += found
            examples += shown
    print(f"{done} hostile strings, {sum(total.values())} live, {time.monotonic() - began:.0f} s")
    for what, times in total.most_common():
        print(f"  {what}: {times}")
    for one in examples[:10]:
        print(f"  {one}")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
