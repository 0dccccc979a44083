"""`make check-repos DIR=folder`: what `where` says of every workload of clones of public repositories.

The folder is kept outside of the project. Prints repositories, workloads, what is editable, what
is refused by reason, and what is wrong, which must be nothing. Ends with 1 when anything is.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from bench.edits.judge import Judge
from bench.repos.check import Checked, check, reasons
from bench.repos.clones import find

FLOORS = {"image": 0.80, "capacity": 0.70}


def main() -> int:
    """Check every clone of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="repositories whose name holds this")
    parser.add_argument("--verbose", action="store_true", help="print every refusal")
    asked = parser.parse_args()
    done, judge = [], Judge()
    print(HEAD)
    for clone in find(asked.folder):
        if asked.only in clone.name:
            began = time.monotonic()
            one = check(clone, judge)
            one.seconds = time.monotonic() - began
            done.append(one)
            print(line(one), flush=True)
            for each in one.outcomes if asked.verbose else ():
                if each.reason and not each.rightly:
                    who = f"{each.workload.root}: {each.workload.kind}/{each.workload.name}"
                    print(f"    {who} {each.question}: {each.reason}")
    judge.close()
    print(summary(done))
    return 1 if any(one.wrong for each in done for one in each.outcomes) else 0


def row(name: str, *cells: object) -> str:
    """Return one line of the table."""
    widths = (10, 12, 9, 12, 9, 9, 6, 5)
    return f"{name[:40]:<40}" + "".join(
        f"{cell!s:>{width}}" for cell, width in zip(cells, widths, strict=True)
    )


HEAD = row("repository", "workloads", "image", "not set", "capacity", "not set", "rendered", "wrong", "s")


def line(one: Checked) -> str:
    """Return the line of one repository."""
    image, asked, no_tag = one.count("image")
    capacity, scalable, no_count = one.count("capacity")
    rendered = sum(each.rendered for each in one.outcomes)
    wrong = sum(bool(each.wrong) for each in one.outcomes)
    counts = (f"{image}/{asked}", no_tag, f"{capacity}/{scalable}", no_count, rendered, wrong)
    return row(one.name, asked, *counts, round(one.seconds))


def summary(done: list[Checked]) -> str:
    """Return the totals, the refusals by reason and what is wrong."""
    lines = ["", f"{len(done)} repositories, {sum(one.count('image')[1] for one in done)} workloads"]
    for question, floor in FLOORS.items():
        made, asked, unset = (sum(each) for each in zip(*(one.count(question) for one in done), strict=True))
        share, own = made / max(asked, 1), made / max(asked - unset, 1)
        met = "met" if own >= floor else "MISSED"
        lines += [
            f"{question:<10} editable {made} of {asked} = {share:.1%}",
            f"{'':<10} of the others {unset} are set nowhere in the repository, as the scan saw too",
            f"{'':<10} editable of what it sets {made} of {asked - unset} = {own:.1%}",
            f"{'':<10} target >= {floor:.0%}   {met}",
        ]
    wrong = [(one.name, each) for one in done for each in one.outcomes if each.wrong]
    lines.append(f"{'wrong':<10} {len(wrong)}   target 0   {'MISSED' if wrong else 'met'}")
    lines += [f"WRONG {name} {each.workload} {each.question}: {each.wrong}" for name, each in wrong[:40]]
    for question in FLOORS:
        lines += ["", f"{question} refused though something sets it, by reason"]
        lines += [f"{count:>6}  {reason}" for reason, count in reasons(done, question).most_common(25)]
    folders = [(one.name, folder, why) for one in done for folder, why in one.unrendered.items()]
    lines += ["", f"{len(folders)} folders that kustomize or Helm does not render here"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
