"""The pages and help texts are plain English, and what they name is there."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cxr_cli.commands import app
from cxr_runtime.scanning.known import LEAST
from test_layers import FLOORS, FOLDERS, ROOMS, ROOT, RUNTIME

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
UNNATURAL = re.compile(
    r"\btold by\b|\b(gone|goes|go|went) on with\b|(?<!there )\b(is|are) no (?!longer\b|more\b)"
    r"|\b(they|it) buys?\b|\blives? happily\b|\b(come|came) by\b|\bin hand\b",
    re.IGNORECASE,
)
MADE_BY_COMMANDS = {"custom.md", "docs/gpu-results.md"}  # pages that a reader makes on a machine with a GPU
PACKAGE_NAMES = "|".join(FOLDERS)


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(page: Path) -> str:
    """A page's text on one line, so that a phrase is found across the end of a line."""
    return " ".join(page.read_text(encoding="utf-8").split())


def help_texts() -> Iterator[tuple[str, str]]:
    """Every sentence of every `--help`, with the command's name."""

    def of_command(name: str, command: Any) -> Iterator[tuple[str, str]]:
        yield name, command.help or ""
        for parameter in command.params:
            yield name, " ".join(str(getattr(parameter, at, "") or "") for at in ("help", "show_default"))
        for inner, child in getattr(command, "commands", {}).items():
            yield from of_command(f"{name} {inner}", child)

    return of_command("cxr-triage", typer.main.get_command(app))


def sentences(file: Path) -> Iterator[str]:
    """What a file of the program may show to a user: its texts, but for those that only programmers read."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        yield " ".join(text.split())
        return
    tree = ast.parse(text)
    unseen = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in unseen:
            yield " ".join(node.value.split())


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_page_is_in_natural_english(page: Path) -> None:
    text = prose(page)
    assert [text[max(0, m.start() - 40) : m.end() + 30] for m in UNNATURAL.finditer(text)] == []


def test_help_is_in_natural_english() -> None:
    assert [(name, text) for name, text in help_texts() if UNNATURAL.search(text)] == []


@pytest.mark.parametrize("package", FOLDERS)
def test_what_a_package_says_to_its_users_is_natural_english(package: str) -> None:
    files = [
        file
        for file in sorted((ROOT / FOLDERS[package] / package).rglob("*"))
        if file.suffix in {".py", ".html", ".js", ".svg", ".md"}
    ]
    assert files
    assert [(shown(file), said) for file in files for said in sentences(file) if UNNATURAL.search(said)] == []


def test_every_page_is_linked_from_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([\w.-]+\.md)(?:#[\w-]+)?\)", index))
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} == linked


def anchors(page: Path) -> set[str]:
    """What a link into a page may name: its headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ +(.+?) *$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_link_into_a_page_leads_to_one_of_its_headings(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        there = (page.parent / target).resolve() if target else page
        assert anchor in anchors(there), f"{shown(page)}: {target}#{anchor}"


def repository_files() -> set[str]:
    """Every file of the five packages, the tests and the docs, by its path from the root."""
    tops = [*FOLDERS.values(), "tests", "docs", "examples", ".ci"]
    found = {
        shown(file) for top in tops for file in (ROOT / top).rglob("*") if "__pycache__" not in file.parts
    }
    return found | {file.name for file in ROOT.iterdir()}


FILES = repository_files()


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_source_file_or_page_that_is_named_is_there(page: Path) -> None:
    named = set(
        re.findall(r"(?<![\w/.:$-])((?:[\w.-]+/)*[\w-]+\.(?:py|md))\b", page.read_text(encoding="utf-8"))
    )
    ours = {name for name in named if not name.startswith(("../", "runs/", "carried/"))}
    missing = {name for name in ours if not any(file == name or file.endswith(f"/{name}") for file in FILES)}
    assert missing - MADE_BY_COMMANDS == set()


def module_file(dotted: str) -> Path | None:
    package, *rest = dotted.split(".")
    base = ROOT / FOLDERS[package] / package
    for file in (base.joinpath(*rest, "__init__.py"), base.joinpath(*rest).with_suffix(".py")):
        if file.is_file():
            return file
    return None


def is_there(dotted: str) -> bool:
    """Whether this is a module of ours, or a name that stands in one."""
    if module_file(dotted) is not None:
        return True
    module, _, name = dotted.rpartition(".")
    file = module_file(module) if "." in dotted else None
    return file is not None and re.search(rf"\b{name}\b", file.read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_module_and_a_name_in_it_that_are_named_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    dotted = set(re.findall(rf"(?<![\w/])(?:{PACKAGE_NAMES})(?:\.\w+)+", text))
    for module, names in re.findall(rf"from ((?:{PACKAGE_NAMES})[\w.]*) import ([\w, ]+)", text):
        dotted |= {f"{module}.{name.strip()}" for name in names.split(",")}
    assert {name for name in dotted if not is_there(name)} == set()


def test_the_floors_of_the_runtime_stand_in_the_page_as_the_layers_are_tested() -> None:
    rows = re.findall(
        r"^\| (\d) \| (.+) \|$", (DOCS / "architecture.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    stated = [tuple(re.findall(r"`(\w+)`", rooms)) for _, rooms in rows]
    assert stated == [tuple(floor) for floor in FLOORS]
    assert [int(number) for number, _ in rows] == list(range(len(FLOORS), 0, -1))


def test_every_room_of_the_runtime_is_described() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert {room for floor in FLOORS for room in floor} <= set(re.findall(r"`(\w+)`", text))


def test_what_the_way_of_one_film_names_is_in_its_file() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    way = page.partition("## The way of one film")[2].partition("\n| step |")[0]
    named = re.findall(r"((?:`[\w.]+`(?:, | and )?)+)\s\(`([\w/]+\.py)`\)", way)
    assert len(named) > 6
    for names, file in named:
        source = (ROOT / file if file.startswith("cli/") else RUNTIME / file).read_text(encoding="utf-8")
        for name in re.findall(r"`(?:\w+\.)?(\w+)`", names):
            assert re.search(rf"^ *def {name}\(", source, re.MULTILINE), (name, file)


def test_the_floors_that_are_counted_are_those_that_are_tested() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| Floors inside the runtime .*", page, re.MULTILINE)
    assert row.endswith(f"| {len(FLOORS)} and the ground |")


@pytest.mark.parametrize("room", ["appliance", "arrivals", "arrivals/receiver", "scanning", "server"])
def test_a_room_whose_files_the_page_lists_has_every_file_in_the_list(room: str) -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    files = {file.name for file in (ROOT / "runtime" / "cxr_runtime" / room).glob("*.py")} - {"__init__.py"}
    named = {name.rpartition("/")[2] for name in re.findall(r"`([\w/]+\.py)`", text)}
    assert files - named == set()


def test_the_rooms_of_calibration_training_and_export_stand_in_the_page_in_their_order() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^- `(cxr_\w+)`: (.+)$", text, re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", rooms)) for name, rooms in rows} == ROOMS


def percent(value: float, low: float, high: float) -> str:
    return f"{100 * value:.0f} % ({100 * low:.0f}-{100 * high:.0f})"


def test_the_readme_states_the_figures_of_the_default_model() -> None:
    readme, model = prose(ROOT / "README.md"), ROOT / "runtime" / "cxr_runtime" / "models" / "default"
    point = json.loads((model / "calibration.json").read_text(encoding="utf-8"))["operating_points"][
        "balanced"
    ]
    accuracy = json.loads((model / "model.json").read_text(encoding="utf-8"))["accuracy"]
    auc, pointing = accuracy["site NIH"]["auc"], accuracy["localisation"]["pointing"]
    films = accuracy["localisation"]["films"]
    assert f"AUC is {auc['value']:.3f} ({auc['low']:.3f}-{auc['high']:.3f})" in readme
    assert f"sensitivity is {percent(point['sensitivity'], *point['sensitivity_interval'])}" in readme
    assert f"specificity {percent(point['specificity'], *point['specificity_interval'])}" in readme
    assert f"on {percent(pointing['value'], pointing['low'], pointing['high'])} of {films} films" in readme


def found_in_truth(films: str, measure: str) -> tuple[int, int]:
    """What is promised and found in the table of locked films, of 100 films; the first table counts."""
    text = (DOCS / "truth.md").read_text(encoding="utf-8")
    table = text.partition("| films | n | abnormal | measure | promised | found |")[2].partition("\n\n")[0]
    rows = [row.split(" | ") for row in table.splitlines()[2:]]
    (row,) = [row for row in rows if row[0] == f"| {films}" and row[3] == measure]
    promised, found = (float(cell.split()[0]) for cell in row[4:6])
    films_of_kind = int(row[2]) if measure == "sensitivity" else int(row[1]) - int(row[2])
    exactly = round(found * films_of_kind) / films_of_kind  # a share with three decimals does not round well
    return round(100 * promised), round(100 * exactly)


def test_the_page_on_truth_begins_with_the_figures_of_its_table() -> None:
    summary = prose(DOCS / "truth.md").partition("## The films")[0]
    said = re.findall(r"of 100 abnormal films (\d+) are flagged, and of 100 normal films (\d+)", summary)
    nih = "NIH, radiologists' classes"
    expected = [(found_in_truth(nih, "sensitivity")[0], 100 - found_in_truth(nih, "specificity")[0])]
    for films in (nih, f"{nih}, PA", f"{nih}, AP"):
        shares = found_in_truth(films, "sensitivity")[1], found_in_truth(films, "specificity")[1]
        expected.append((shares[0], 100 - shares[1]))
    assert [(int(found), int(flagged)) for found, flagged in said] == expected
    missed = 100 - found_in_truth("Guangzhou, children", "sensitivity")[1]
    flagged = 100 - found_in_truth("Guangzhou, children", "specificity")[1]
    assert f"{missed} of 100 with pneumonia are missed, and {flagged} of 100 normal films are" in summary
    assert f"{100 - found_in_truth('Shenzhen, tuberculosis', 'specificity')[1]} of 100 normal" in summary


def test_every_test_that_the_page_on_safety_names_is_there() -> None:
    page = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
    files = list((ROOT / "tests").rglob("test_*.py"))
    sources = "\n".join(file.read_text(encoding="utf-8") for file in files)
    there = {file.name for file in files} | set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))
    assert set(re.findall(r"\btest_\w+(?:\.py)?", page)) <= there


def test_the_page_on_the_store_says_from_how_many_films_on_a_scan_is_continued() -> None:
    assert f"continues that scan if they are {LEAST} or more" in prose(DOCS / "store.md")


def test_every_table_of_films_that_a_page_names_is_in_the_list_of_tables() -> None:
    listed = set(
        re.findall(r"^\| `(\w+)` \|", (DOCS / "training.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    named = {name for page in PAGES for name in re.findall(r"\.\./shared/data/(\w+)\.csv", prose(page))}
    assert len(named) > 5
    assert named <= listed
