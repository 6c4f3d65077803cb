"""`cxr-triage lab house`: how large the five packages are, counted from their sources."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

PACKAGES = ("runtime", "calibration", "train", "export", "cli")  # top folders; each holds one of that name
SMALL, LARGE = 30, 250  # lines of a file that are few, and that are many


@dataclass(frozen=True)
class Size:
    """Sources of some packages; files named __init__.py count, too."""

    lines: tuple[int, ...]  # of each file
    functions: tuple[int, ...]  # lines of each function and method
    small: int  # files of fewer than SMALL lines; faces of rooms (__init__.py) are left out

    def row(self, name: str) -> tuple[str, ...]:
        """The row of a table."""
        from statistics import median  # not while every other command starts

        of_files = (len(self.lines), sum(self.lines), round(median(self.lines)), max(self.lines))
        large = sum(lines > LARGE for lines in self.lines)
        of_functions = (len(self.functions), round(median(self.functions)), max(self.functions))
        return name, *(f"{count:,}" for count in (*of_files, self.small, large, *of_functions))


def print_house(
    checkout: Annotated[
        Path, typer.Argument(metavar="CHECKOUT", help="The folder with README.md, of any version.")
    ] = Path(),
) -> int:
    """Count files, lines and functions of the packages, as a table."""
    from cxr_runtime.errors import UsageError
    from cxr_runtime.markdown import markdown_table

    head = (
        "package", "files", "lines", "lines a file", "largest file", f"below {SMALL}", f"above {LARGE}",
        "functions", "lines a function", "largest",
    )  # fmt: skip
    files = {package: sorted((checkout / package / f"cxr_{package}").rglob("*.py")) for package in PACKAGES}
    sizes = {f"cxr_{package}": size_of(found) for package, found in files.items() if found}
    if not sizes:
        raise UsageError(f"{checkout} holds none of the packages; give the folder of a checkout")
    sizes["together"] = size_of([file for found in files.values() for file in found])
    typer.echo(markdown_table(head, [size.row(name) for name, size in sizes.items()]))
    return 0


def size_of(files: list[Path]) -> Size:
    """Count source files."""
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    lines = {file: len(text.splitlines()) for file, text in texts.items()}
    small = sum(count < SMALL and file.name != "__init__.py" for file, count in lines.items())
    functions = tuple(length for text in texts.values() for length in _functions(text))
    return Size(tuple(lines.values()), functions or (0,), small)


def _functions(text: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1
