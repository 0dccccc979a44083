from __future__ import annotations

from propose import sample

from aiops.propose import diff


def test_the_diff_shows_the_one_line_that_changes():
    expected = """--- a/clusters/prod-eu/kustomization.yaml
+++ b/clusters/prod-eu/kustomization.yaml
@@ -2,4 +2,4 @@
   - ../../base
 images:
   - name: registry.example/checkout
-    newTag: 1.14.3  # set by CI
+    newTag: 1.14.2  # set by CI
"""
    made = sample.composed(sample.rollback_item())
    assert expected == diff.unified({sample.IMAGE_FILE: sample.IMAGE_CONTENT}, made.files)


def test_equal_files_have_no_diff():
    assert diff.unified({"a": b"x\n"}, {"a": b"x\n"}) == ""


def test_a_missing_newline_is_shown_as_git_shows_it():
    expected = "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n"
    assert expected == diff.unified({"a": b"x"}, {"a": b"y\n"})


def test_control_characters_reach_no_terminal():
    shown = diff.unified({"a\x1b": b"\x1b[31m\xff\r\n"}, {"a\x1b": b"\xc2\x9b2J\r\n"})
    assert [char for char in shown if char != "\n" and not char.isprintable()] == []
    assert "-\\x1b[31m\\xff\\x0d" in shown
