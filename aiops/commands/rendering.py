"""`--render`: let the real kustomize or Helm confirm an edit, when a person asks for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiops.domain import Edit, Target
from aiops.errors import ConfigError, EditRefused
from aiops.gitops import edits as editing
from aiops.gitops import output
from aiops.gitops.clusters import Cluster
from aiops.ports import Files


def confirm(
    files: Files, target: Target, edits: Sequence[Edit], new: str, clusters: Sequence[Cluster]
) -> str:
    """Return the one field that differs once rendered. Raises EditRefused when it is not exactly that."""
    from aiops.edges.render_tools import Built

    contents = output.contents(files, edits)
    chart = output.chart(files, target, clusters)
    if chart is None:
        with Built(files, output.folder(files, target, clusters)) as copy:
            before = copy.build()
            copy.write(contents)
            return output.only_one(before, copy.build(), new)
    changed = output.chart(editing.Changed(files, contents), target, clusters)
    with Built(files, chart.folder, "helm") as copy:
        before = copy.template(chart)
        copy.write(contents)
        return output.only_one(before, copy.template(changed or chart), new)


def tried(files: Files, target: Target, clusters: Sequence[Cluster]) -> str:
    """Return one line on what an edit of a field would render; its value is made up."""
    if target.winner is None:
        return ""
    value = target.winner.value
    if target.field == "image.digest":
        new = f"{'0.0.0@' if target.beside else ''}sha256:{'0' * 64}"
    else:
        new = (
            str(int(value) + 1)
            if re.fullmatch(r"[0-9]{1,6}", value) and "image" not in target.field
            else "0.0.0"
        )
    try:
        edits = editing.of(files, target, new, clusters)
        return f"rendered, exactly one field differs: {confirm(files, target, edits, new, clusters)}"
    except ConfigError:
        raise
    except EditRefused as error:
        return f"not confirmed by rendering: {error}"
