"""The house stands as designed: floors import only downwards, and nothing in it runs text as code."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bptt_tui

PACKAGE = Path(bptt_tui.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))


def loaded_by(statement: str) -> set[str]:
    """The modules in a fresh interpreter after a statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_a_floor_imports_only_from_floors_below_it():
    """The contracts of import-linter hold."""
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(PACKAGE.parent / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize(
    "floor", ["language", "calculus", "network", "trace", "session", "derivation", "debugger", "export"]
)
def test_below_the_screen_no_floor_loads_textual(floor):
    """Everything but the screen runs where neither textual nor rich can be imported."""
    assert not {"textual", "rich"} & loaded_by(f"import bptt_tui.{floor}")


def test_the_package_itself_is_light():
    """`import bptt_tui` loads nothing of weight."""
    assert not {"numpy", "textual", "rich", "msgspec", "click"} & loaded_by("import bptt_tui")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_text_is_run_as_code(source):
    """No eval, exec, compile or pickle anywhere, under whatever name a module gives them."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            assert node.id not in {"eval", "exec", "compile", "__import__"}, node.lineno
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & {"pickle", "marshal", "shelve", "dill"}
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in {"pickle", "marshal", "shelve", "dill", "builtins"}


def test_the_search_for_code_finds_some(tmp_path):
    """A planted `eval` is caught."""
    planted = tmp_path / "planted.py"
    planted.write_text("run = eval\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        test_no_text_is_run_as_code(planted)
