"""The base installation, and the clinic's, need nothing under GPL or AGPL; the page lists what they need."""

import re
import tomllib
from pathlib import Path

import pytest

from cxr_cli.bundle.contents import REFUSED, licence_of
from cxr_cli.bundle.parts import needed
from cxr_cli.bundle.slimming import parts_table

PAGE = Path(__file__).parents[2] / "docs" / "licences.md"


PROJECT = tomllib.loads((PAGE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))


def required(*extras: str) -> list[str]:
    """What pyproject.toml asks for, of itself and of extras and those that they name."""
    base = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["dependencies"]
    found = [*base, "onnxruntime"]
    for extra in extras:
        for one in PROJECT["project"]["optional-dependencies"][extra]:
            inner = re.fullmatch(r"cxr-triage\[(.+)\]", one)
            found += required(*inner[1].split(",")) if inner else [one]
    return found


@pytest.mark.parametrize("extras", [(), ("clinic",)])
def test_no_part_is_under_gpl_or_agpl_and_each_names_a_licence(extras: tuple[str, ...]) -> None:
    packages = needed(required(*extras))
    licences = {name: licence_of(package.metadata) for name, package in packages.items()}
    assert {"numpy", "onnxruntime", "pydicom"} <= licences.keys()
    assert ("pynetdicom" in licences) is bool(extras)
    assert {name: one for name, one in licences.items() if REFUSED.search(one) or not one} == {}


def test_the_page_lists_every_part_of_the_base() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in needed(required()) if f"| {name} | " not in page] == []


def test_parts_are_listed_with_their_licence_and_size() -> None:
    rows = parts_table().splitlines()
    assert rows[0] == "| package | version | licence | MB | of these `slim` removes |"
    assert rows[-1].startswith("| together | ")
    assert any(row.startswith("| fpdf2 | ") and "LGPL" in row for row in rows)
