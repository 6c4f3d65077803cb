"""The tally of the months: what a program reads, and what a page shows."""

from cxr_runtime.language import language, speaking
from cxr_runtime.reports.monthly import Month, tally_csv

NOVEMBER = Month("2026-11", 1204, 3, 2, 1, 0, 1.5)


def test_a_page_writes_the_figures_of_a_month_as_its_language_does() -> None:
    with speaking(language("es")):
        assert NOVEMBER.shown == ("2026-11", "1.204", "3", "2", "1", "0", "1,5")


def test_the_table_for_programs_is_the_same_in_every_language() -> None:
    with speaking(language("es")):
        assert tally_csv([NOVEMBER]).splitlines()[1] == '"2026-11",1204,3,2,1,0,"1.5"'
