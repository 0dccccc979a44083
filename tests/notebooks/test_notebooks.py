"""Notebooks run from top to bottom and define nothing: what they need is in aiops."""

from __future__ import annotations

import ast

import nbformat
import pytest
import real
from nbclient import NotebookClient

NAMES = ["explore_recording.ipynb", "five_and_five.ipynb", "one_incident.ipynb", "train_and_inspect.ipynb"]
NOTEBOOKS = sorted((real.CHECKOUT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter packages, not ours
def test_a_notebook_runs_and_draws(path, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=560, kernel_name="python3").execute(cwd=str(tmp_path))
    kinds = {
        kind for cell in notebook.cells for out in cell.get("outputs", []) for kind in out.get("data", {})
    }
    assert "image/png" in kinds


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_defines_nothing_and_keeps_no_output(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            defined = [
                node
                for node in ast.walk(ast.parse(cell.source))
                if isinstance(node, (ast.FunctionDef, ast.ClassDef))
            ]
            assert defined == []
            assert cell.outputs == []


def test_there_are_notebooks():
    assert [path.name for path in NOTEBOOKS] == NAMES
