"""Pages of docs/ that show measurements: they are about what is shipped, and one call renews them."""

from hashlib import sha256
from pathlib import Path

import pytest

from cxr_calibration.statistics.intervals import Estimate
from cxr_runtime.errors import UsageError
from cxr_runtime.model.folder import DEFAULT_MODEL, open_model
from cxr_train.evaluation.page_tables import GROUPS, HEATS, PLACES
from cxr_train.evaluation.tables import told
from cxr_train.pages import PAGES, Sources, write_page

DOCS = Path(__file__).parents[2] / "docs"


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_about_the_files_that_are_shipped(name: str) -> None:
    for file in PAGES[name].about():
        digest = sha256(file.read_bytes()).hexdigest()
        assert f"`{file.name}` with the sha256 `{digest}`" in " ".join(page(name).split()), (
            f"docs/{name}.md is stale: {file.name} has changed; run `cxr-triage lab page {name}`"
        )


def test_the_default_model_s_page_has_the_figures_of_its_manifest() -> None:
    accuracy, rows = open_model(DEFAULT_MODEL).manifest.accuracy, page("default-model").splitlines()
    for group, films in GROUPS.items():
        row = next(row for row in rows if row.startswith(f"| {films} |"))
        for measure in ("auc", "specificity_at_90"):
            assert told(Estimate(**accuracy[group][measure])) in row
    shown = next(row for row in rows if row.startswith(f"| {HEATS['cam']} |"))
    for place in PLACES:
        assert told(Estimate(**accuracy["localisation"][place])) in shown


def test_a_page_gets_the_new_table_and_the_name_of_what_is_shipped(tmp_path: Path) -> None:
    text = page("lung-field")
    head = "| lung field | films |"
    row = next(line for line in text.splitlines() if line.startswith("| unet |"))
    table = text[text.index(head) : text.index("\n\n", text.index(head))].replace(
        "| unet | 187", "| unet | 7"
    )
    runs = tmp_path / "runs"
    (runs / "lung-field").mkdir(parents=True)
    changed = table.replace("| unet | 187", "| unet | 7")
    (runs / "lung-field" / "lung-field.md").write_text(changed, encoding="utf-8")
    (tmp_path / "lung-field.md").write_text(text.replace("with the sha256 `", "with the sha256 `0"), "utf-8")
    written = write_page("lung-field", tmp_path, Sources(runs)).read_text(encoding="utf-8")
    assert written == text.replace(row, row.replace("187", "7"))


def test_a_measurement_that_is_missing_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    (tmp_path / "gate.md").write_text(page("gate"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"gate\.md is missing; make it with `cxr-triage lab gate"):
        write_page("gate", tmp_path, Sources(tmp_path / "runs"))
