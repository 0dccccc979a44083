"""Pull requests as pictures: `make pictures`.

Plays each story of stories.py through the whole pipeline, and draws what a reviewer gets: the first
screen and its chart as docs/images shows it. Prints what each body is, in characters. With `--to DIR`
the pictures go there; `--whole` draws all of a body, `--dark` draws it as a dark GitHub does.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import real
from bench.bodies import drawn, stories
from bench.incidents.plants import ROOT

from aiops.propose.body import MAX_BODY


def main() -> int:
    """Write the pictures and print the table; 1 when one of the stories did not come about."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--to", type=Path, default=ROOT / "docs" / "images", help="the folder of the pictures"
    )
    parser.add_argument("--only", nargs="*", default=[], help="names of stories")
    parser.add_argument("--seed", type=int, default=stories.SEED)
    parser.add_argument("--whole", action="store_true", help="all of a body, and its text beside the picture")
    parser.add_argument("--dark", action="store_true")
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    print(f"| picture | scenario | title | characters (of {MAX_BODY}) | picture, kB |\n|---|---|---|---|---|")
    missing = 0
    with real.running_chromium() as chromium:
        for story in stories.STORIES:
            if given.only and story.name not in given.only:
                continue
            try:
                shown = stories.play(story, given.seed)
            except LookupError as error:
                print(error, file=sys.stderr)
                missing += 1
                continue
            picture = drawn.png(chromium, shown.title, shown.text, dark=given.dark, whole=given.whole)
            (given.to / f"{story.name}.png").write_bytes(picture)
            if given.whole:
                (given.to / f"{story.name}.md").write_text(shown.text, encoding="utf-8")
            size = f"{len(shown.text)} | {len(picture) / 1000:.0f}"
            print(f"| {story.name} | {story.scenario} | {shown.title or 'a comment'} | {size} |", flush=True)
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
