"""Repositories that somebody made to hurt: what they hold, and what the answer must say.

Shared by the tests, which look at the answer, and by `make bench-hostile`, which looks at the time
and memory it takes. `expected`: part of the refusal, or the value that wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiops.domain import FieldName, Workload

WEB = Workload("", "shop", "Deployment", "web")
MANIFEST = b"kind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 3\n"
RESOURCES = b"resources: [web.yaml]\n"


@dataclass(frozen=True, slots=True)
class Hostile:
    """One repository. `make`: its files, built on demand because some are large."""

    make: Callable[[], Mapping[str, bytes]]
    expected: str
    field: FieldName = "replicas"
    modes: Mapping[str, str] | None = None

    @property
    def slow(self) -> bool:
        """Whether it takes a good part of a second: once is enough for the suite."""
        return len(self.make()) > 20 or sum(map(len, self.make().values())) > 100_000


def _kustomized(more: bytes) -> dict[str, bytes]:
    return {"kustomization.yaml": RESOURCES + more, "web.yaml": MANIFEST}


def _pod(containers: bytes) -> bytes:
    return MANIFEST + b"  template: {spec: {containers: [" + containers + b"]}}\n"


def _patches(count: int, pattern: bytes) -> bytes:
    inline = b"\n  patch: |-\n    - op: replace\n      path: /spec/paused\n      value: true\n"
    return b"patches:\n" + b"".join(
        b"- target: {name: '%s%d'}%s" % (pattern, n, inline) for n in range(count)
    )


_REPLACEMENT = (
    b"- {source: {kind: ConfigMap, name: x, fieldPath: data.a}, targets: [{select: {kind: Deployment},"
    b" fieldPaths: ['spec.template.spec.containers.*.image']}]}\n"
)


def _stages(number: int) -> bytes:
    step = b"      - {uses: yaml-update, config: {path: ./s/${{ a }}x${{ b }}y%d, updates: [{key: a}]}}\n"
    head = (
        b"apiVersion: kargo.akuity.io/v1alpha1\nkind: Stage\nmetadata: {name: s%d}\nspec:\n"
        b"  promotionTemplate:\n    spec:\n      steps:\n"
        b"      - {uses: git-clone, config: {checkout: [{path: ./s}]}}\n"
        b"      - {uses: git-push, config: {path: ./s}}\n"
    )
    quoted = step.replace(b"./s/${{ a }}x${{ b }}y%d", b"'./s/${{ a }}x${{ b }}y%d'")
    return b"---\n".join(
        head % (number * 10 + each) + b"".join(quoted % (each * 1000 + n) for n in range(190))
        for each in range(10)
    )


def _laughs(name: str = "a", count: int = 20) -> bytes:
    lines = [f"{name}0: &{name}0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}{n}: &{name}{n} [{', '.join([f'*{name}{n - 1}'] * 9)}]" for n in range(1, count)]
    return "\n".join(lines).encode() + b"\n"


def _doubling() -> dict[str, bytes]:
    files = {f"k{n}/kustomization.yaml": b"resources: [../k%d, ../k%d]\n" % (n + 1, n + 1) for n in range(25)}
    return {**files, "k25/kustomization.yaml": RESOURCES, "k25/web.yaml": MANIFEST}


def _circle() -> dict[str, bytes]:
    return {f"k{n}/kustomization.yaml": b"resources: [../k%d]\n" % ((n + 1) % 40) for n in range(40)}


def _overlays() -> dict[str, bytes]:
    files = {f"o{n}/kustomization.yaml": b"resources: [../base]\n" for n in range(2_000)}
    return {**files, "base/kustomization.yaml": RESOURCES, "base/web.yaml": MANIFEST}


def _application(values_file: str) -> dict[str, bytes]:
    text = (
        "kind: Application\nmetadata: {name: web}\nspec:\n  destination: {namespace: shop}\n"
        f"  source:\n    path: chart\n    helm: {{valueFiles: ['{values_file}']}}\n"
    )
    return {
        "app.yaml": text.encode(),
        "chart/Chart.yaml": b"name: web\n",
        "chart/values.yaml": b"replicaCount: 3\n",
    }


CASES: dict[str, Hostile] = {
    # F32, T15: what unfolds, nests or repeats without end
    "laughs-in-a-manifest": Hostile(
        lambda: {"web.yaml": MANIFEST + b"---\n" + _laughs()}, "at most 100 aliases"
    ),
    "laughs-in-a-kustomization": Hostile(lambda: _kustomized(_laughs(count=9)), "3"),
    "laughs-in-a-patch": Hostile(
        lambda: {**_kustomized(b"patches: [{path: p.yaml}]\n"), "p.yaml": _laughs()}, "at most 100 aliases"
    ),
    "laughs-in-an-inline-patch": Hostile(
        lambda: _kustomized(
            b"patches:\n- patch: |\n" + b"".join(b"    " + x + b"\n" for x in _laughs().split(b"\n"))
        ),
        "at most 100 aliases",
    ),
    "deep": Hostile(lambda: {"web.yaml": MANIFEST + b"---\n" + b"[" * 5_000}, "64 levels of nesting"),
    "deep-patch": Hostile(
        lambda: {**_kustomized(b"patches: [{path: p.yaml}]\n"), "p.yaml": b"{a: " * 5_000},
        "64 levels of nesting",
    ),
    "documents": Hostile(lambda: {"web.yaml": MANIFEST + b"---\na: 1\n" * 100_000}, "at most 1000 documents"),
    "five-megabytes": Hostile(
        lambda: {"web.yaml": MANIFEST + b"# x\n" * 1_300_000}, "larger than 5000000 bytes"
    ),
    "one-megabyte": Hostile(lambda: {"web.yaml": MANIFEST + b"# x\n" * 260_000}, "too large to be edited"),
    "just-editable": Hostile(lambda: {"web.yaml": MANIFEST + b"# x\n" * 145_000}, "3"),
    "just-editable-with-tabs": Hostile(
        lambda: {"web.yaml": MANIFEST + b"# " + b"x\t" * 290_000 + b"\n"}, "3"
    ),
    "long-key": Hostile(lambda: {"web.yaml": MANIFEST + b"? " + b"k" * 590_000 + b"\n: 1\n"}, "3"),
    "long-image": Hostile(
        lambda: {"web.yaml": _pod(b"{name: web, image: '" + b"a" * 590_000 + b"'}")},
        "not an image reference",
        "image.tag",
    ),
    # products of two long lists
    "containers": Hostile(
        lambda: {"web.yaml": _pod(b",".join(b"{name: c%d, image: 'a:1'}" % n for n in range(12_000)))},
        "at most 500 containers",
        "image.tag",
    ),
    "images-times-containers": Hostile(
        lambda: {
            "kustomization.yaml": RESOURCES
            + b"images:\n"
            + b"".join(b"- {name: a, newTag: v%d}\n" % n for n in range(10_000)),
            "web.yaml": _pod(
                b"{name: web, image: 'a:1'},"
                + b",".join(b"{name: c%d, image: 'a:1'}" % n for n in range(400))
            ),
        },
        "more `images` than can be compared",
        "image.tag",
    ),
    "replacements-times-containers": Hostile(
        lambda: {
            "kustomization.yaml": RESOURCES + b"replacements:\n" + _REPLACEMENT * 120,
            "web.yaml": _pod(b",".join(b"{name: c%d, image: 'a:1'}" % n for n in range(390))),
        },
        "which container is meant cannot be told",
        "image.tag",
    ),
    "more-replacements": Hostile(
        lambda: (
            _kustomized(b"replacements:\n" + _REPLACEMENT * 2_000)
            | {"web.yaml": _pod(b",".join(b"{name: c%d, image: 'a:1'}" % n for n in range(400)))}
        ),
        "more `replacements` than can be compared",
    ),
    "promotions": Hostile(
        lambda: {
            "kustomization.yaml": RESOURCES,
            "web.yaml": _pod(b"{name: web, image: 'a:1'}"),
            **{f"stage{n}.yaml": _stages(n) for n in range(2)},
        },
        "owned by Kargo stage (more than 2000 files",
        "image.tag",
    ),
    "patches": Hostile(lambda: _kustomized(_patches(1_000, b"(a|a)*b")), "3"),
    "operations": Hostile(
        lambda: {
            **_kustomized(b"patches: [{path: p.yaml, target: {name: web}}]\n"),
            "p.yaml": b"- {op: replace, path: /spec/replicas, value: 3}\n" * 5_000,
        },
        "more than 1000 operations",
    ),
    "slow-pattern": Hostile(
        lambda: {
            **_kustomized(_patches(1, b"(a|a|aa)+$")),
            "web.yaml": MANIFEST + b"---\nkind: Deployment\nmetadata: {name: %s}\n" % (b"a" * 63),
        },
        "3",
    ),
    "components-of-a-chart": Hostile(
        lambda: {
            "Chart.yaml": b"name: web\n",
            "values.yaml": b"".join(b"c%d: {image: {repository: a, tag: v1}}\n" % n for n in range(12_000)),
        },
        "no manifest deploys it, and templates of charts are not read (.)",
        "image.tag",
    ),
    "doubling-bases": Hostile(_doubling, "renders more than 5000 objects"),
    "circle": Hostile(_circle, "no manifest of the repository deploys it"),
    "two-thousand-overlays": Hostile(_overlays, "2000 places deploy it"),
    # F41, F42, T14: names and links that lead elsewhere
    "path-out": Hostile(lambda: {"../web.yaml": MANIFEST, "a/../../web.yaml": MANIFEST}, "no manifest"),
    "path-absolute": Hostile(lambda: {"/etc/web.yaml": MANIFEST}, "no manifest"),
    "path-nul": Hostile(lambda: {"web\0.yaml": MANIFEST}, "no manifest"),
    "path-line-break": Hostile(lambda: {"we\nb.yaml": MANIFEST}, "no manifest"),
    "path-git": Hostile(lambda: {".git/web.yaml": MANIFEST, "a/.GIT/web.yaml": MANIFEST}, "no manifest"),
    "path-workflow": Hostile(lambda: {".github/workflows/web.yaml": MANIFEST}, "no manifest"),
    "path-deep": Hostile(
        lambda: {"/".join([f"a{n}", *["b"] * 400, "web.yaml"]): MANIFEST for n in range(300)}, "no manifest"
    ),
    "path-case-clash": Hostile(lambda: {"Web.yaml": MANIFEST, "web.yaml": MANIFEST}, "2 places deploy it"),
    "link-manifest": Hostile(
        lambda: {"web.yaml": b"/etc/passwd"}, "a symbolic link", modes={"web.yaml": "120000"}
    ),
    "link-resource": Hostile(lambda: _kustomized(b""), "a symbolic link", modes={"web.yaml": "120000"}),
    "link-out": Hostile(
        lambda: {"a/web.yaml": b"../../web.yaml"}, "out of the repository", modes={"a/web.yaml": "120000"}
    ),
    "link-circle": Hostile(
        lambda: {"a/web.yaml": b"../b/web.yaml", "b": b"a"},
        "a symbolic link in a circle",
        modes={"a/web.yaml": "120000", "b": "120000"},
    ),
    "link-chain": Hostile(
        lambda: {**{f"{n}/web.yaml": b"../%d/web.yaml" % (n + 1) for n in range(2000)}, "2000/x": b""},
        "through too many others",
        modes={f"{n}/web.yaml": "120000" for n in range(2000)},
    ),
    "link-workflow": Hostile(
        lambda: {"web.yaml": b".github/web.yaml", ".github/web.yaml": MANIFEST},
        "edit the file it stands for",
        modes={"web.yaml": "120000"},
    ),
    "link-kustomization": Hostile(lambda: _kustomized(b""), "3", modes={"kustomization.yaml": "120000"}),
    "link-values": Hostile(
        lambda: {**_application("v.yaml"), "chart/v.yaml": b"/etc/passwd"},
        "a symbolic link",
        modes={"chart/v.yaml": "120000"},
    ),
    "submodule": Hostile(lambda: {"web.yaml": b""}, "a submodule", modes={"web.yaml": "160000"}),
    "resource-out": Hostile(
        lambda: {
            "k/kustomization.yaml": b"resources: [../../etc/web.yaml, /etc/web.yaml, web.yaml]\n",
            "k/web.yaml": MANIFEST,
        },
        "3",
    ),
    "patch-out": Hostile(lambda: _kustomized(b"patches: [{path: ../../../etc/passwd}]\n"), "no such file"),
    "values-out": Hostile(lambda: _application("../../../../etc/passwd"), "is not in this repository"),
    "values-by-address": Hostile(
        lambda: _application("https://example.com/v.yaml"), "is not in this repository"
    ),
    # F30, F40, F43: files that must be left alone
    "duplicate-key": Hostile(
        lambda: {"web.yaml": MANIFEST + b"  replicas: 4\n"}, "stands twice, in lines 4 and 5"
    ),
    "conflict": Hostile(
        lambda: {"web.yaml": MANIFEST + b"<<<<<<< ours\n  x: 1\n=======\n>>>>>>> theirs\n"},
        "conflict markers",
    ),
    "encrypted": Hostile(lambda: {"web.yaml": MANIFEST + b"sops: {version: 3}\n"}, "encrypted with SOPS"),
    "utf-16": Hostile(lambda: {"web.yaml": MANIFEST.decode().encode("utf-16")}, "no manifest"),
    "binary": Hostile(lambda: {"web.yaml": MANIFEST + b"\0\1\2"}, "binary"),
    "not-utf-8": Hostile(lambda: {"web.yaml": MANIFEST + b"# \xff\n"}, "not UTF-8"),
    "python-tag": Hostile(lambda: {"web.yaml": MANIFEST + b"x: !!python/object/apply:os.system [id]\n"}, "3"),
    "yaml-directive": Hostile(lambda: {"web.yaml": b"%YAML 9.9\n---\n" + MANIFEST}, "not readable as YAML"),
}
