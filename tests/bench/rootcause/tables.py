"""The tables of the root cause benchmark, as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.incidents.intervals import wilson


@dataclass(frozen=True, slots=True)
class Answer:
    """What one method says of one case: names, strongest first; none = `unknown`."""

    system: str
    fault: str
    action: str
    root: str
    names: tuple[str, ...]

    def within(self, most: int) -> bool:
        """Tell whether the root is among the first `most` names."""
        return self.root in self.names[:most]


def accuracy(methods: dict[str, Sequence[Answer]]) -> Iterable[str]:
    """One block per system: every method overall, then ours by fault kind. `unknown` counts as wrong."""
    first = next(iter(methods.values()))
    for system in dict.fromkeys(one.system for one in first):
        yield f"{system}: {'method':31} {'n':>3}  {'AC@1 [95 %]':20} {'AC@3':>5} {'Avg@5':>6} {'unknown':>8}"
        for name, answers in methods.items():
            yield _line(name, [one for one in answers if one.system == system])
        for fault in sorted({one.fault for one in first if one.system == system}):
            for name, answers in methods.items():
                here = [one for one in answers if one.system == system and one.fault == fault]
                yield _line(f"{fault}, {name}", here)


def _line(name: str, of: Sequence[Answer]) -> str:
    found = sum(one.within(1) for one in of)
    low, high = wilson(found, len(of))
    average = sum(one.within(most) for one in of for most in range(1, 6)) / 5 / len(of)
    third = sum(one.within(3) for one in of) / len(of)
    unknown = sum(not one.names for one in of) / len(of)
    share = f"{found / len(of):.2f} [{low:.2f}, {high:.2f}]"
    return f"  {name:46} {len(of):3d}  {share:20} {third:5.2f} {average:6.2f} {unknown:8.2f}"


def onsets(
    systems: Sequence[str], rows: Sequence[int | None], steps: Sequence[int], before: Sequence[bool]
) -> Iterable[str]:
    """How many steps our onset is after the first step of the fault; none = nothing opened."""
    yield f"{'system':12} {'n':>3} {'none':>5} {'early':>6} {'0':>4} {'+1':>4} {'later':>6}  open before"
    for system in dict.fromkeys(systems):
        here = [at for at, name in enumerate(systems) if name == system]
        late = [row - steps[at] for at in here if (row := rows[at]) is not None]
        yield (
            f"{system:12} {len(here):3d} {len(here) - len(late):5d} {sum(one < 0 for one in late):6d} "
            f"{late.count(0):4d} {late.count(1):4d} {sum(one > 1 for one in late):6d}  "
            f"{sum(before[at] for at in here)}"
        )


def actions(answers: Sequence[Answer], proposed: Sequence[Sequence[str]]) -> Iterable[str]:
    """Cases in which the rules would propose anything, by what the data set's reading asks for."""
    yield f"{'right answer':14} {'cases':>5} {'scale':>6} {'rollback':>9}"
    for action in ("escalate", "rollback", "scale"):
        here = [said for one, said in zip(answers, proposed, strict=True) if one.action == action]
        scale = sum(any(text.startswith("scale ") for text in said) for said in here)
        back = sum(any(text.startswith("rollback ") for text in said) for said in here)
        yield f"{action:14} {len(here):5d} {scale:6d} {back:9d}"


def misses(names: Sequence[str], answers: Sequence[Answer]) -> Iterable[str]:
    """Every case that ours does not put first."""
    for name, one in zip(names, answers, strict=True):
        if not one.within(1):
            said = ", ".join(one.names[:3]) or "unknown"
            yield f"{one.system} {name} {one.fault} {one.root}: {said}"
