"""What the values of a release say of its workloads, read as plain data and without the resolver.

No chart is at hand, so who is asked for follows the conventions of charts: the release runs a
workload of its own name (or `fullnameOverride`), a part of the values with a tag or a count of its
own describes `<release>-<part>`, and `controllers` of app-template are workloads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_DEPTH = 3
_MAIN = ("app", "main")  # what app-template calls the container that the others stand beside


@dataclass(frozen=True, slots=True)
class Part:
    """One workload that values speak of: what they set of it, and the image its metrics would name."""

    name: str
    tagged: bool
    counted: bool
    image: str | None = None


def parts(release: str, values: Any, *, elsewhere: bool = False) -> list[Part]:
    """Return the workloads of a release, itself first. `elsewhere`: other values may set anything."""
    values = values if isinstance(values, dict) else {}
    controllers = values.get("controllers")
    if isinstance(controllers, dict) and controllers:
        return [
            _controller(release if len(controllers) == 1 else f"{release}-{key}", one)
            for key, one in controllers.items()
            if isinstance(one, dict)
        ]
    full = str(values.get("fullnameOverride") or release)
    root = Part(full, _tagged(values) or elsewhere, _counted(values) or elsewhere)
    return [root, *_below(full, values, 1)]


def _below(full: str, values: dict[str, Any], depth: int) -> Iterator[Part]:
    for key, one in values.items():
        if not isinstance(one, dict) or key in {"image", "deployment", "autoscaling"} or depth > _DEPTH:
            continue
        tagged, counted = _tagged(one), _counted(one)
        if tagged or counted:
            yield Part(str(one.get("fullnameOverride") or f"{full}-{key}"), tagged, counted)
        yield from _below(full, one, depth + 1)


def _controller(name: str, one: dict[str, Any]) -> Part:
    containers = one.get("containers")
    images = {
        key: _image(each.get("image"))
        for key, each in (containers.items() if isinstance(containers, dict) else ())
        if isinstance(each, dict)
    }
    main = next((images[key] for key in _MAIN if images.get(key)), None)
    main = main or next((image for image in images.values() if image), None)
    return Part(name, any(map(_versioned, images.values())), isinstance(one.get("replicas"), int), main)


def _image(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not value.get("repository"):
        return None
    name = "/".join(str(value[key]) for key in ("registry", "repository") if value.get(key))
    tag, digest = value.get("tag"), value.get("digest")
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def _versioned(image: str | None) -> bool:
    return bool(image) and ("@" in str(image) or ":" in str(image).rpartition("/")[2])


def _tagged(values: dict[str, Any]) -> bool:
    """Tell whether values write the version of an image at this level."""
    image = values.get("image")
    if isinstance(image, str):
        return _versioned(image)
    written = isinstance(image, dict) and (
        any(image.get(key) for key in ("tag", "digest", "version")) or _versioned(image.get("repository"))
    )
    return written or bool(values.get("imageTag"))


def _counted(values: dict[str, Any]) -> bool:
    """Tell whether values write how many pods run: a count, or the bounds of an autoscaler."""
    scaling, deployment = values.get("autoscaling"), values.get("deployment")
    if (
        isinstance(scaling, dict)
        and scaling.get("enabled")
        and (scaling.keys() & {"minReplicas", "maxReplicas"})
    ):
        return True
    counts = [values.get("replicaCount"), values.get("replicas")]
    counts += [deployment.get("replicas")] if isinstance(deployment, dict) else []
    return any(isinstance(one, int) and not isinstance(one, bool) for one in counts)
