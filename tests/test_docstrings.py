"""What a docstring lists is what the function takes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from test_layers import FOLDERS, ROOT


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[set[str], set[str]]:
    """Names of what a function takes, but for `self`: those of its own, and of `*args` and `**kwargs`."""
    taken = function.args
    named = {one.arg for one in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)}
    return named - {"self", "cls"}, {one.arg for one in (taken.vararg, taken.kwarg) if one}


def listed(docstring: str) -> set[str]:
    """What stands under `Args:`; empty where nothing is listed."""
    section = re.search(r"^Args:\n((?:    .*\n?|\n)+)", docstring, re.MULTILINE)
    return set(re.findall(r"^    (\w+):", section[1], re.MULTILINE)) if section else set()


def wrong_lists(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = listed(ast.get_docstring(node) or "")
            named, gathered = parameters(node)
            if said and not named <= said <= named | gathered:
                yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}: {said ^ named}"


@pytest.mark.parametrize("package", FOLDERS)
def test_a_function_whose_docstring_lists_arguments_lists_all_that_it_takes(package: str) -> None:
    files = sorted((ROOT / FOLDERS[package] / package).rglob("*.py"))
    assert files
    assert [wrong for file in files for wrong in wrong_lists(file)] == []
