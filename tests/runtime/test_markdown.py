"""Tables in markdown."""

import pytest

from cxr_runtime.markdown import markdown_table


def test_a_table_has_a_head_a_rule_and_its_rows() -> None:
    table = markdown_table(("film", "score"), [("one", "4.50"), ("two", "9.25")])
    assert table.splitlines() == [
        "| film | score |",
        "| --- | --- |",
        "| one | 4.50 |",
        "| two | 9.25 |",
    ]


def test_columns_are_aligned_as_asked() -> None:
    assert markdown_table("abc", [], align="lrc").splitlines()[1] == "| --- | ---: | :---: |"


def test_a_bar_or_a_line_break_within_a_cell_breaks_no_column() -> None:
    assert markdown_table(["sex"], [["M|F"], ["not\nknown"]]).splitlines()[2:] == [
        "| M\\|F |",
        "| not known |",
    ]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 headings"):
        markdown_table(("film", "score"), [("one",)])
    with pytest.raises(ValueError, match="2 headings"):
        markdown_table(("film", "score"), [], align="l")
