"""Every error aiops raises on purpose, split by what the caller does about it.

Comes in: what was expected, what was found, where, and what to do. Goes out: one line for a
person and an exit code. Programming errors are not here: they are bugs and end with exit code 1.
"""

from __future__ import annotations

# Worst wins; the order is part of the command-line contract.
SEVERITY = (1, 2, 30, 50, 31, 20, 40, 21, 10, 0)


class AiopsError(Exception):
    """One clear line: what is wrong, where, and what to do.

    `code` is a stable word for machines (the `errors[].code` of the report);
    `exit_code` is what the process ends with when nothing worse happened.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, where: str = "", todo: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.todo = todo

    def __str__(self) -> str:
        """Return `where: message (todo)`, leaving out what is empty."""
        line = f"{self.where}: {self.message}" if self.where else self.message
        return f"{line} ({self.todo})" if self.todo else line


class ConfigError(AiopsError):
    """The user's input is wrong: a flag, a file, a URL, or a query of ours that was rejected."""

    code = "config"
    exit_code = 2


class DataUnusable(AiopsError):
    """Nothing could be judged: unreachable, not a Prometheus, partial, stale or empty."""

    code = "data-unusable"
    exit_code = 20


class EditRefused(AiopsError):
    """A decided change has no place where it can be written safely; other workloads go on."""

    code = "edit-refused"
    exit_code = 21


class ForgeRefused(AiopsError):
    """The forge says no: authentication, permission, protection. Running again does not help."""

    code = "forge-refused"
    exit_code = 30


class ForgeBusy(AiopsError):
    """The forge is slow, limited or broken for now. State is safe; run again."""

    code = "forge-busy"
    exit_code = 31


class ModelRefused(AiopsError):
    """The model files do not check out, and the configuration allows no fallback."""

    code = "model-refused"
    exit_code = 50


def worst(exit_codes: list[int]) -> int:
    """Return the exit code that wins when several things happened in one run (0 for none)."""
    known = [code for code in SEVERITY if code in exit_codes]
    unknown = [code for code in exit_codes if code not in SEVERITY]
    return unknown[0] if unknown else (known[0] if known else 0)
