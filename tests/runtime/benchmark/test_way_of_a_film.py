"""A stranger can follow one film: its way through the house is counted, and must not grow unseen."""

from pathlib import Path

from cxr_runtime.benchmark.way_of_a_film import way_of

EXAMPLES = Path(__file__).parents[3] / "examples"
ARCHITECTURE = Path(__file__).parents[3] / "docs" / "architecture.md"
MOST_FILES, MOST_FUNCTIONS = 45, 200


def test_a_dicom_film_runs_through_few_files_and_functions() -> None:
    way = way_of(EXAMPLES / "clear-3.dcm")
    assert len(way.files) <= MOST_FILES, way.files
    assert len(way.functions) <= MOST_FUNCTIONS, way.functions


def test_every_step_of_a_film_is_on_its_way() -> None:
    files = way_of(EXAMPLES / "clear-3.dcm").files
    rooms = {file.partition("/")[0] for file in files if "/" in file}
    assert rooms >= {"sources", "reading", "gate", "lungs", "model", "backends", "heat", "reports", "store"}
    assert "scanning/session.py" in files


def test_the_page_states_how_long_the_way_may_be() -> None:
    page = ARCHITECTURE.read_text(encoding="utf-8")
    for counted, most in (("Files", MOST_FILES), ("Functions", MOST_FUNCTIONS)):
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {counted} one DICOM film runs")]
        assert row.endswith(f"| at most {most} |")
