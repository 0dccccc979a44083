"""From a target and a new value to the edits of one commit, proved on the changed repository.

The value is replaced where it wins, or written where it would win; a rollback also changes what
would set the old value again. Then the repository is read once more as it would be after the
commit: the field must have the new value, and no other workload may have changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

from aiops.domain import Edit, Insertion, Pin, Place, Target, TreeFile
from aiops.errors import EditRefused
from aiops.gitops import image_reference, owners, patch_entry, repository_map, splice
from aiops.gitops.choose import Found, autoscaler, choose, own
from aiops.gitops.clusters import Cluster
from aiops.gitops.rendered import Rendered
from aiops.gitops.repository_map import RepositoryMap
from aiops.gitops.snapshot import Spot
from aiops.gitops.structure import parsed
from aiops.ports import Files

Row = tuple[str, str, str, str, str]  # unit, kind, namespace, name, field
# A replay asks the same of the same commit in every step of an incident, a run asks it twice.
_ANSWERS: WeakKeyDictionary[Files, dict[object, tuple[Edit, ...] | EditRefused]] = WeakKeyDictionary()


def of(files: Files, target: Target, new: str, clusters: Sequence[Cluster] = ()) -> tuple[Edit, ...]:
    """Return the edits that set a field to `new`, the value first. Raises EditRefused.

    The answer is kept as long as the `Files` object lives: a commit does not change.
    """
    known = _ANSWERS.setdefault(files, {})
    asked = (target, new, tuple((one.name, *sorted(one.match.items()), one.paths) for one in clusters))
    if asked not in known:
        try:
            known[asked] = _of(files, target, new, clusters)
        except EditRefused as error:
            known[asked] = error.with_traceback(None)
    answer = known[asked]
    if isinstance(answer, EditRefused):
        raise answer.with_traceback(None)
    return answer


def _of(files: Files, target: Target, new: str, clusters: Sequence[Cluster]) -> tuple[Edit, ...]:
    if target.winner is None:
        raise EditRefused(target.refusal or "no place sets this field", where=str(target.workload))
    image = target.field in {"image.tag", "image.digest"}
    main = _main(files, target, target.winner, new)
    edits = (*main, *(_pin(files, one, target.winner) for one in target.pins if image))
    contents = {
        path: splice.replace(files.read(path), [one for one in edits if one.file == path])
        for path in dict.fromkeys(one.file for one in edits)
    }
    _prove(files, target, new, contents, clusters)
    return edits


def _main(files: Files, target: Target, winner: Place, new: str) -> tuple[Edit, ...]:
    """Return the edit of the value, or those of a digest and the tag beside it."""
    if target.beside is not None:
        return _pair(files, target, winner, new)
    at = target.insertion
    if at is None:
        return (splice.edit(files.read(winner.file), winner, new, files.tree()[winner.file].blob),)
    value = new
    if at.kind == "Application" and at.path[-2:-1] == ("images",):  # a text `name:tag`
        value = f"{at.entry}{'@' if new.startswith('sha') and ':' in new else ':'}{new}"
        at = Insertion(at.file, at.document, at.path, "", at.kind)
    elif at.kind == patch_entry.KIND and winner.path[-1] == "image":
        value = splice.new_version(winner, new)
    old = splice.value_of(winner.path, winner.value)
    return (splice.insert(files.read(at.file), at, old, value, files.tree()[at.file].blob),)


def _pair(files: Files, target: Target, winner: Place, new: str) -> tuple[Edit, ...]:
    """Return the edits of a digest and of the tag beside it: a stale one of them would lie."""
    tag, digest = image_reference.split_version(new) if image_reference.is_version(new) else (None, None)
    if target.beside is None or target.insertion is not None or not tag or not digest:
        raise EditRefused(
            "pinned by digest: tag and digest change together, as tag@digest", where=str(target.workload)
        )
    content, blob = files.read(winner.file), files.tree()[winner.file].blob
    first = splice.edit(content, winner, digest, blob)
    if target.beside.value == tag:
        return (first,)
    return (first, splice.edit(content, target.beside, tag, blob))


def _pin(files: Files, pin: Pin, winner: Place) -> Edit:
    """Return the edit beside a rollback: a marker goes, or the tag that is taken out is ignored."""
    content, blob = files.read(pin.file), files.tree()[pin.file].blob
    if pin.what == "marker":
        return splice.remove_marker(content, winner, blob)
    bad = image_reference.tag_of(splice.value_of(winner.path, winner.value))
    documents = parsed(content, pin.file)[1]
    written = owners.ignored(documents[pin.document], pin.path)
    if written is not None:
        place = splice.located(content, Spot(pin.file, pin.document, pin.path, written.value, ""))
        return splice.edit_list(content, place, f"{written.value},{bad}", blob)
    at = Insertion(pin.file, pin.document, pin.path, "", "")
    return splice.insert(content, at, "", bad, blob, role="pin")


class Changed:
    """A commit as it would be with other content in some files."""

    def __init__(self, files: Files, contents: Mapping[str, bytes]) -> None:
        self.sha = files.sha
        self.checkout = files.checkout
        self._files = files
        self._contents = contents
        self._tree = {
            path: TreeFile(path, one.mode, splice.blob_id(contents[path]), len(contents[path]))
            if path in contents
            else one
            for path, one in files.tree().items()
        }

    def tree(self) -> Mapping[str, TreeFile]:
        """Return the entries, with the sizes of the changed files."""
        return self._tree

    def read(self, path: str) -> bytes:
        """Return the changed content, or that of the commit."""
        return self._contents[path] if path in self._contents else self._files.read(path)

    def link(self, path: str) -> str:
        """Return where a symbolic link points; edits never change one."""
        return self._files.link(path)


def _prove(
    files: Files, target: Target, new: str, contents: Mapping[str, bytes], clusters: Sequence[Cluster]
) -> None:
    """Raise EditRefused unless only this field of this workload changes, and to the new value."""
    before = repository_map.read(files)
    after = repository_map.changed(before, Changed(files, contents), frozenset(contents))
    where = str(target.workload)
    held = _holder(after, target, clusters)
    allowed = {
        (unit.label, one.kind, one.namespace, one.name) for unit, one in (held, *_same(after, held[1]))
    }
    old_rows, new_rows = _rows(before), _rows(after)
    different = {row for row in old_rows.keys() | new_rows.keys() if old_rows.get(row) != new_rows.get(row)}
    others = sorted({f"{row[3]} of {row[0]}" for row in different if row[:4] not in allowed})
    if others:
        raise EditRefused(f"the edit would also change {', '.join(others[:3])}", where=where)
    seen = {new_rows.get(row, "") for row in different}
    if not any(one == new or one.endswith((f":{new}", f"@{new}")) for one in seen) or len(seen) != 1:
        raise EditRefused("the edit would not change the value that wins", where=where)


def _same(repository: RepositoryMap, held: Rendered) -> list[Found]:
    """Return the objects that are one workload with another; each may stand in a file of its own."""
    return [
        (unit, one) for same in held.same for unit in repository.units for one in unit.objects if one is same
    ]


def _holder(repository: RepositoryMap, target: Target, clusters: Sequence[Cluster]) -> Found:
    mine = own(target.workload, clusters)
    found = choose(repository, target.workload, mine)
    if target.field.startswith("hpa."):
        scaler = autoscaler(repository, mine, found, target.workload.cluster)
        if scaler is not None:
            return next((unit, one) for unit, one in repository.scalers[scaler.scales[1]] if one is scaler)  # type: ignore[index]
    return found


def _rows(repository: RepositoryMap) -> dict[Row, str]:
    rows: dict[Row, str] = {}
    for unit in repository.units:
        for one in unit.objects:
            for name, value in _values(one):
                rows[unit.label, one.kind, one.namespace, one.name, name] = value
    return rows


def _values(one: Rendered) -> list[tuple[str, str]]:
    found = [(f"image of {each.name}", f"{each.image}:{each.version}") for each in one.containers]
    found += [(name, spots[-1].value) for name, spots in one.numbers.items() if spots]
    return found
