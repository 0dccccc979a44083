"""Image references by the OCI grammar: which part is the name, the tag, the digest.

Source: distribution/reference `reference.go` (the grammar that containerd and Docker use).
A *version* here is everything after the name: `1.2`, `sha256:...` or `1.2@sha256:...`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HOST = (
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]+)?"
)
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_NAME = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*")
_REFERENCE = re.compile(rf"((?:{_HOST}/)?{_PART}(?:/{_PART})*)(?::({_TAG}))?(?:@({_DIGEST}))?")
_VERSION = re.compile(rf"(?:{_TAG})(?:@{_DIGEST})?|{_DIGEST}")
MAX_CHARACTERS = 512  # 255 of name, 128 of tag, a digest; longer text is not a reference
_MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class ImageReference:
    """`name[:tag][@digest]`; `name` includes the registry, as written."""

    name: str
    tag: str | None
    digest: str | None

    @property
    def version(self) -> str:
        """Everything after the name, without the leading separator; "" when nothing is there."""
        if self.digest is None:
            return self.tag or ""
        return f"{self.tag}@{self.digest}" if self.tag else self.digest

    def __str__(self) -> str:
        """Return the reference as it is written in a manifest."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}" + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> ImageReference | None:
    """Return the parts of an image reference, None when the text is not one."""
    if len(text) > MAX_CHARACTERS:
        return None
    match = _REFERENCE.fullmatch(text)
    if match is None or len(match[1]) > _MAX_NAME:
        return None
    return ImageReference(match[1], match[2], match[3])


def is_name(text: str) -> bool:
    """Tell whether the text is an image name without tag and digest."""
    return len(text) <= _MAX_NAME and _NAME.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """Tell whether the text can stand after an image name: a tag, a digest, or both."""
    return len(text) <= MAX_CHARACTERS and _VERSION.fullmatch(text) is not None


def split_version(version: str) -> tuple[str | None, str | None]:
    """Return (tag, digest) of `1.2`, `sha256:...` or `1.2@sha256:...`. Raises ValueError."""
    if not is_version(version):
        raise ValueError(f"expected a tag or a digest, found {version[:80]!r}")
    if "@" in version:
        tag, _, digest = version.partition("@")
        return tag, digest
    return (None, version) if ":" in version else (version, None)


def tag_of(version: str) -> str:
    """Return the tag of a version, or its digest where it has no tag."""
    tag, digest = split_version(version)
    return tag or digest or ""


def with_version(reference: ImageReference, version: str) -> ImageReference:
    """Return the same image in another version. Raises ValueError when it is not a version."""
    return ImageReference(reference.name, *split_version(version))


def same_image(one: str, other: str) -> bool:
    """Compare two image names as a container runtime does: Docker Hub may be left out."""
    return _canonical(one) == _canonical(other)


def _canonical(name: str) -> str:
    first, slash, rest = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    if not ("." in first or ":" in first or first == "localhost"):
        return f"docker.io/{name}"
    host = "docker.io" if first.lower() == "index.docker.io" else first.lower()
    return f"{host}/library/{rest}" if host == "docker.io" and "/" not in rest else f"{host}/{rest}"


def stands_in(path: tuple[str | int, ...], value: str) -> ImageReference | None:
    """Return the reference when the scalar holds a whole one, None when it holds only a version.

    `image: app` is a name without a tag, `tag: app` is a tag: the key decides what the text cannot.
    A JSON patch is a list, and the image it sets is a whole one, as is a text in a list `images`:
    `web@sha256:..` is no tag there.
    """
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    inner = path[len(path) - path[::-1].index("|") :] if "|" in path else path
    listed = isinstance(inner[0], int) or path[-2:-1] == ("images",)
    whole = key.lower().endswith("image") or (listed and "@" in value)
    if is_version(value) and not whole:
        return None
    old, equals, new = value.partition("=")  # Argo CD: `old=new:tag`
    if not equals:
        return parse(value)
    parsed = parse(new) if is_name(old) else None
    return parsed and ImageReference(f"{old}={parsed.name}", parsed.tag, parsed.digest)
