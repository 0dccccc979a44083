"""The OCI grammar, by the examples of distribution/reference and the traps of real registries."""

from __future__ import annotations

import pytest

from aiops.gitops import image_reference
from aiops.gitops.image_reference import ImageReference

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", ImageReference("nginx", None, None)),
        ("nginx:1.25", ImageReference("nginx", "1.25", None)),
        ("localhost:5000/x", ImageReference("localhost:5000/x", None, None)),
        ("host:5000/team/x:1", ImageReference("host:5000/team/x", "1", None)),
        ("Reg.Example.com/x:1", ImageReference("Reg.Example.com/x", "1", None)),
        (f"ghcr.io/a/b@{DIGEST}", ImageReference("ghcr.io/a/b", None, DIGEST)),
        (f"ghcr.io/a/b:v1@{DIGEST}", ImageReference("ghcr.io/a/b", "v1", DIGEST)),
        ("x:" + "t" * 128, ImageReference("x", "t" * 128, None)),
        ("a--b/c__d.e:1", ImageReference("a--b/c__d.e", "1", None)),
    ],
)
def test_a_reference_is_split_into_name_tag_and_digest(text: str, expected: ImageReference) -> None:
    parsed = image_reference.parse(text)

    assert expected == parsed
    assert text == str(parsed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Shop/Web:1",
        "x:",
        "x@sha256:abc",
        "x:-1",
        "x:" + "t" * 129,
        "a b:1",
        "{{ .Values.image }}",
        "x:1\n",
        "a" * 256 + ":1",
        "../x:1",
        "x:1:2",
        "a/" * 400,
    ],
)
def test_what_is_no_reference_is_none(text: str) -> None:
    assert image_reference.parse(text) is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("nginx", "docker.io/library/nginx", True),
        ("shop/web", "index.docker.io/shop/web", True),
        ("ghcr.io/a/b", "ghcr.io/a/b", True),
        ("GHCR.io/a/b", "ghcr.io/a/b", True),
        ("reg:5000/a", "reg/a", False),
        ("shop/web", "ghcr.io/shop/web", False),
    ],
)
def test_image_names_compare_as_a_runtime_does(one: str, other: str, *, expected: bool) -> None:
    assert expected == image_reference.same_image(one, other)


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.2", "app:1.2"), (DIGEST, f"app@{DIGEST}"), (f"1.2@{DIGEST}", f"app:1.2@{DIGEST}")],
)
def test_a_reference_gets_another_version(version: str, expected: str) -> None:
    old = ImageReference("app", "old", None)

    assert expected == str(image_reference.with_version(old, version))


@pytest.mark.parametrize(
    ("path", "value", "whole"),
    [
        (("spec", "containers", 0, "image"), "app", True),
        (("image", "tag"), "app", False),
        (("images", 0, "newTag"), "1.0", False),
        (("image",), "reg:5000/app:1.0", True),
        ((1, "value"), "reg:5000/app:1.0", True),
        ((1, "value"), "1.0", False),
        (("images", 0, "digest"), DIGEST, False),
        (("spec", "source", "kustomize", "images", 0), f"web@sha256:{'a' * 64}", True),
        (("images", 0, "newTag"), f"1.2@sha256:{'a' * 64}", False),
    ],
)
def test_the_key_tells_a_whole_reference_from_a_tag(
    path: tuple[str | int, ...], value: str, *, whole: bool
) -> None:
    assert whole == (image_reference.stands_in(path, value) is not None)
