"""`[CLUSTER/]NAMESPACE/[KIND/]NAME`: which workload a person means."""

from __future__ import annotations

from collections.abc import Iterable

from aiops.domain import Workload
from aiops.errors import ConfigError


def pick(text: str, known: Iterable[Workload]) -> Workload:
    """Return the one workload that `text` names.

    Raises ConfigError with the candidates when none or several fit.
    """
    workloads = sorted(set(known))
    wanted = text.strip("/").split("/")
    fitting = [one for one in workloads if _fits(wanted, one)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(map(str, fitting))
        raise ConfigError(f"{text!r} is ambiguous", where="TARGET", todo=f"one of: {names}")
    near = [one for one in workloads if one.name == wanted[-1]] or workloads
    names = ", ".join(str(one) for one in near[:8]) or "none was found"
    raise ConfigError(f"no workload {text!r}", where="TARGET", todo=f"known: {names}")


def _fits(wanted: list[str], workload: Workload) -> bool:
    """Match namespace and name, and whatever else was given; the kind reads in any case."""
    if len(wanted) < 2 or workload.name != wanted[-1]:
        return False
    rest = wanted[:-1]
    full = [
        (workload.cluster, workload.namespace, workload.kind),
        (workload.cluster, workload.namespace),
        (workload.namespace, workload.kind),
        (workload.namespace,),
    ]
    return any(
        len(rest) == len(shape) and all(a.lower() == b.lower() for a, b in zip(rest, shape, strict=True))
        for shape in full
    )
