"""What the documents tell a user to type is what the program takes."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from cxr_cli.commands import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]


def commands_of(group: Any, before: str = "") -> dict[str, Any]:
    """Every command by its whole name, those of groups within it too, e.g. `lab gate`."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found |= commands_of(command, f"{before}{name} ") if inner else {f"{before}{name}": command}
    return found


COMMANDS = commands_of(typer.main.get_command(app))
GROUPS = {name.split()[0] for name in COMMANDS if " " in name}


def typed_commands(document: str) -> list[list[str]]:
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|bash|console|text)?\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"((?:^    \S.*\n)+)", text, flags=re.MULTILINE)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    found = [match[1] for line in lines if (match := re.search(r"(?:^\s*|&& )cxr-triage\s+([a-z].*)", line))]
    found += re.findall(r"`cxr-triage ([a-z-]+[^`]*)`", text)
    return [shlex.split(command, comments=True) for command in found]


def takes(command: str, option: str) -> bool:
    return any(
        option in (*parameter.opts, *parameter.secondary_opts) for parameter in COMMANDS[command].params
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_s_commands_and_options_exist(document: str) -> None:
    for words in typed_commands(document):
        depth = 2 if words[0] in GROUPS else 1
        command, rest = " ".join(words[:depth]), words[depth:]
        assert command in COMMANDS, f"{document}: cxr-triage {command}"
        for word in rest:
            if re.fullmatch(r"--[a-z-]+", word) and word not in {"--debug", "--help"}:
                assert takes(command, word), f"{document}: cxr-triage {command} {word}"


def test_the_readme_tells_how_to_install_scan_and_test() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(r'^pip install "\.\[clinic\]" && cxr-triage scan examples$', text, flags=re.MULTILINE)
    assert re.search(r"^pip install -c constraints\.txt -e .*&& pytest$", text, flags=re.MULTILINE)


def wheels_of(package: str) -> dict[str, list[str]]:
    """By version of Python, what the table of systems says about a package, system by system."""
    text = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")
    rows = [re.split(r" *\| *", line)[1:-1] for line in text.splitlines() if line.startswith("| ")]
    versions = next(row[2:] for row in rows if row[:2] == ["system", "packages"])
    answers = [row[2:] for row in rows if len(row) == len(versions) + 2 and row[1] == package]
    return {version: [row[at] for row in answers] for at, version in enumerate(versions)}


def test_the_readme_names_the_pythons_for_which_every_system_has_the_wheels_of_its_line() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    clinic, base = wheels_of("clinic"), wheels_of("base")
    everywhere = [version for version, answers in clinic.items() if set(answers) == {"yes"}]
    assert f"You need Python {everywhere[0]} to {everywhere[-1]}." in readme
    (other,) = sorted(set(clinic) - set(everywhere))
    assert "no" in clinic[other]
    assert "yes" in base[other]
    assert f"On Python {other} use `pip install .`" in readme


@pytest.mark.parametrize(
    "option",
    [
        "--out", "--model", "--backend", "--operating-point", "--heat", "--workers", "--batch-size",
        "--format", "--allow-uncalibrated", "--require-gpu", "--require-sandbox", "--force",
    ],
)  # fmt: skip
def test_scan_keeps_its_options(option: str) -> None:
    assert takes("scan", option)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_and_option_says_what_it_does(command: str) -> None:
    assert COMMANDS[command].help
    for parameter in COMMANDS[command].params:
        assert getattr(parameter, "help", None), f"cxr-triage {command}: {parameter.name}"


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert ((ROOT / document).parent / target).exists(), f"{document}: {target}"
