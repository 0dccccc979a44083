"""Where a value lives in the repository, what it was, and how it is edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aiops.domain.series import FieldName, Workload


@dataclass(frozen=True, slots=True)
class Place:
    """One scalar in the repository that sets a field.

    `document`: index in the YAML stream. `path`: keys and list indices from the document root.
    A step "|" means: inside of the YAML that the string at this path holds.
    `value`: the scalar as a string, as YAML reads it. `start`, `end`: byte span of the scalar
    in the file, quotes included. `kind`: which manifest kind it stands in (a word for people).
    """

    file: str
    document: int
    path: tuple[str | int, ...]
    value: str
    start: int
    end: int
    kind: str

    @property
    def path_text(self) -> str:
        """The key path as people write it: `spec.template.spec.containers[0].image`."""
        text = ""
        for part in self.path:
            joined = part if not text or part == "|" or text[-1] == "|" else f".{part}"
            text += f"[{part}]" if isinstance(part, int) else str(joined)
        return text


@dataclass(frozen=True, slots=True)
class Insertion:
    """Where one key or list entry, once written, would win over the place that counts now.

    `path`: of the new scalar; what is missing of it is written. `entry`: the `name` of the list
    entry when that is new too. `kind`: which manifest kind it stands in (a word for people).
    """

    file: str
    document: int
    path: tuple[str | int, ...]
    entry: str
    kind: str

    @property
    def path_text(self) -> str:
        """The key path as people write it."""
        return Place(self.file, self.document, self.path, "", 0, 0, "").path_text


@dataclass(frozen=True, slots=True)
class Pin:
    """What stops an automation from setting a value again, in the same commit as a rollback.

    `what`: `marker` (the one behind the winning value is removed) or `ignore` (the value that is
    taken out joins the list of ignored tags at `path`). `lift`: how to undo it, for people.
    """

    owner: str
    what: Literal["marker", "ignore"]
    file: str
    document: int
    path: tuple[str | int, ...]
    lift: str


@dataclass(frozen=True, slots=True)
class PastValue:
    """A value the winning place had, from `since_s` to `until_s` (None = still), by `commit`.

    `touched`: the other files of that commit. `ran`: how the workload ran then, in words; "" when
    nobody looked.
    """

    value: str
    commit: str
    since_s: int
    until_s: int | None
    touched: tuple[str, ...]
    ran: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one field of one workload lives in the repository.

    `places`: every place that sets it, the winner last. `winner`: None when refused.
    `insertion`: where an edit writes a new key instead of changing the winner, which others share.
    `beside`: the tag next to the digest that wins; they change together, as `tag@digest`.
    `pins`: what a rollback must change beside it. `owner`: the automation that owns the field
    ("HorizontalPodAutoscaler/web"), None = nobody.
    `history`: newest first, the current value included. `refusal`: one line, None = editable.
    `annotations`: those of the workload's manifest that start with `aiops/`, by name.
    """

    workload: Workload
    field: FieldName
    places: tuple[Place, ...]
    winner: Place | None
    owner: str | None
    history: tuple[PastValue, ...]
    refusal: str | None
    annotations: tuple[tuple[str, str], ...] = ()
    insertion: Insertion | None = None
    pins: tuple[Pin, ...] = ()
    beside: Place | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace bytes [start, end) of `file` by `new_text`: one of three kinds of `change`.

    `replace`: the whole old scalar; `old`, `new` are the values as YAML reads them, `new_text` the
    scalar as written, quotes included. `insert`: one key or list entry at `start` (= `end`), after
    which `path` holds `new`; `old` is the value that counted before, `entry` the name of a new list
    entry. `remove`: the image automation's marker behind the scalar at `path`; `old` is the marker.
    `role`: `value` changes the field, `pin` stops an automation from changing it back.
    `blob`: sha of the file the span was measured in; another blob refuses the edit.
    """

    file: str
    document: int
    path: tuple[str | int, ...]
    old: str
    new: str
    new_text: str
    start: int
    end: int
    blob: str
    change: Literal["replace", "insert", "remove"] = "replace"
    entry: str = ""
    role: Literal["value", "pin"] = "value"

    @property
    def path_text(self) -> str:
        """The key path as people write it."""
        return Place(self.file, self.document, self.path, self.old, 0, 0, "").path_text


@dataclass(frozen=True, slots=True)
class TreeFile:
    """One entry of a git tree. `mode` as git prints it: 100644, 100755, 120000, 160000."""

    path: str
    mode: str
    blob: str
    size: int


@dataclass(frozen=True, slots=True)
class Checkout:
    """What others call the commit that was read. `branch`: "" when only the commit is known.

    `default`: whether the branch is the default one (`HEAD` of the remote), None = not known.
    `addresses`: where the repository is hosted, as far as that is known.
    """

    branch: str = ""
    default: bool | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the base branch. `time_s`: committer time. `paths`: files it touched."""

    sha: str
    time_s: int
    subject: str
    paths: tuple[str, ...]
