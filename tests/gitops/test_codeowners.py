from __future__ import annotations

import pytest

from aiops.gitops import codeowners

# The examples of GitHub's own page, one owner per line.
GITHUB = """\
# Lines starting with # are comments.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/*  @docs-owner
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @logger
/apps/ @octocat
/apps/github
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README.md", ("global-owner1", "global-owner2")),
        ("web/app.js", ("js-owner",)),
        ("main.go", ()),
        ("a/b/c.txt", ("octo-org/octocats",)),
        ("build/logs/today/a.log", ("logger",)),
        ("docs/getting-started.md", ("doctocat",)),
        ("deep/apps/x/y.yaml", ("octocat",)),
        ("scripts/run", ("doctocat", "octocat")),
        ("deeply/nested/logs/x", ("logger",)),
        ("apps/web.yaml", ("octocat",)),
        ("apps/github", ()),
        ("apps/github/x.yaml", ()),
    ],
)
def test_a_path_is_owned_as_the_page_of_github_says(path, expected):
    assert expected == codeowners.owners(GITHUB, [path])


def test_one_folder_and_a_star_does_not_reach_below():
    text = "* @all\ndocs/* @docs"
    assert codeowners.owners(text, ["docs/a.md"]) == ("docs",)
    assert codeowners.owners(text, ["docs/build/a.md"]) == ("all",)


def test_owners_of_several_files_are_each_named_once():
    text = "/a/ @one @two\n/b/ @two @three"
    assert codeowners.owners(text, ["a/x", "b/y"]) == ("one", "two", "three")


@pytest.mark.parametrize(
    "line",
    ["!a @x", "[ab] @x", "\\#a @x", "", "# @x", "a @-x", "a @x/../y", "a <!--@x-->", "*" * 600 + " @x"],
)
def test_a_line_that_github_does_not_support_names_nobody(line):
    assert codeowners.owners(line, ["a", "#a"]) == ()


def test_an_escaped_space_belongs_to_the_path():
    assert codeowners.owners("/my\\ apps/ @x", ["my apps/a"]) == ("x",)


def test_a_hostile_pattern_takes_no_time():
    text = "\n".join(["*a*a*a*a*a*a*a*ab @x"] * 20)
    assert codeowners.owners(text, ["a" * 200]) == ()  # by backtracking this would not end


@pytest.mark.parametrize("piece", ["*a", "**a", "*?", "**/a"])
def test_many_stars_over_a_long_path_cost_little(piece):
    text = "\n".join([f"/{piece * 19}x @x"] * 200)
    assert codeowners.owners(text, [f"{'a' * 255}/{'a' * 255}"]) == ()


def test_a_pattern_of_more_pieces_than_anybody_writes_is_skipped():
    assert codeowners.owners(f"/{'a*' * 40} @x\n/a* @y\n/{'a*' * 40} @z", ["a" * 90]) == ("y",)
