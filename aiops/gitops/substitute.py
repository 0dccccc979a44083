"""Variables that Flux fills in after the build: `${TAG}` of a manifest is `TAG` of `postBuild`.

Only a value that is one variable, or an image whose version is one, leads to the scalar that can
be changed; what is mixed with other text keeps its reason. Inline values win over `substituteFrom`,
of which a ConfigMap of the repository is read and a Secret never.
Source: fluxcd kustomize-controller docs/spec/v1/kustomizations.md#post-build-variable-substitution.
"""

from __future__ import annotations

import re
from dataclasses import replace

from aiops.gitops import image_reference
from aiops.gitops.config_maps import ConfigMaps
from aiops.gitops.nodes import Scalar
from aiops.gitops.pointers import Pointer
from aiops.gitops.rendered import Container, Rendered, number
from aiops.gitops.snapshot import Spot
from aiops.gitops.sources import Part

_WHOLE = re.compile(
    r"(?:(?P<name>[^${}]+)(?P<separator>[:@]))?\$\{(?P<variable>[A-Za-z_][A-Za-z0-9_]*)(?::?=[^}]*)?\}"
)
_KIND = "Flux substitute"
_ALONE = "Flux substitute, alone"  # `tag: ${TAG}`: what is filled in decides whether it is a text


def fill_in(objects: list[Rendered], pointer: Pointer, maps: ConfigMaps) -> None:
    """Let the variables of a pointer stand for what the objects write as `${...}`."""
    if pointer.variables is None:
        return
    for one in objects:
        for container in one.containers:
            if container.spots and "${" in container.spots[-1].value:
                _image(container, pointer, maps)
        for spots in one.numbers.values():
            if spots and "${" in spots[-1].value:
                spots.append(_number(spots[-1], pointer, maps))


def _look_up(spot: Spot, pointer: Pointer, maps: ConfigMaps) -> tuple[re.Match[str] | None, Part | None, str]:
    match = _WHOLE.fullmatch(spot.value)
    if match is None:
        return None, None, spot.problem
    part = (pointer.variables or {}).get(match["variable"])
    filled = ""
    if part is None:
        part, filled = maps.find(pointer, match["variable"])
    if part is None:
        return (
            match,
            None,
            f"${{{match['variable']}}} is filled in by {filled or 'nobody: it becomes empty'}",
        )
    return match, part, ""


def _image(container: Container, pointer: Pointer, maps: ConfigMaps) -> None:
    spot = container.spots[-1]
    match, part, why = _look_up(spot, pointer, maps)
    value = part.node.value if part is not None and isinstance(part.node, Scalar) else ""
    if part is None or match is None or not value:
        container.spots.append(replace(spot, problem=why or "the variable has no value"))
        return
    if not image_reference.is_version(value) and image_reference.parse(value) is None:
        why = "the variable is not a tag, a digest or an image"
    if match["name"]:
        container.image = match["name"]
    whole = None if image_reference.is_version(value) else image_reference.parse(value)
    container.image = whole.name if whole else container.image
    container.version = whole.version if whole else value
    kind = _KIND if match["name"] or whole else _ALONE
    container.spots.append(Spot(part.file, part.document, part.path, value, kind, why))


def _number(spot: Spot, pointer: Pointer, maps: ConfigMaps) -> Spot:
    _, part, why = _look_up(spot, pointer, maps)
    if part is None or not isinstance(part.node, Scalar):
        return replace(spot, problem=why or "the variable has no value")
    plain = replace(part.node, style="")  # a text here, a number where it is filled in
    return number(part.file, part.document, part.path, plain, _KIND)
