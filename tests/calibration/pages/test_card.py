from dataclasses import replace

import numpy as np

from cxr_calibration.fit.description import Description, fit_and_describe
from cxr_calibration.pages.card import card_sections, with_sections
from drawn_films import drawn_films

CARD = "# Model m\n\nIntro.\n\n## Calibration\n\nold | table\n\n### More\n\nold\n\n## Licence\n\nkept\n"


def description() -> Description:
    return fit_and_describe(drawn_films(200, films_a_patient=2))


def test_the_card_says_what_each_point_means_at_each_prevalence() -> None:
    described = description()
    text = card_sections(described, "drawn films")
    rows = [line for line in text.splitlines() if line.startswith("| balanced |")]
    assert len(rows) == 3
    assert rows[0].split("|")[2].strip() == "1.0 % = 10"
    point = described.default_point
    assert rows[2].split("|")[4].strip() == f"{200 * point.sensitivity.value:.1f}"
    assert all(point.shortfall in text for point in described.points)


def test_the_card_says_how_good_probabilities_are_bin_by_bin() -> None:
    described = description()
    calibration = card_sections(described, "drawn films").split("## Operating points")[0]
    assert f"| calibrated | {described.after.brier:.3f} |" in calibration
    bins = [line for line in calibration.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert sum(int(line.split("|")[1]) for line in bins) == described.films


def test_the_card_has_a_row_a_subgroup() -> None:
    films = drawn_films(200, films_a_patient=2)
    views = np.array(["PA", "AP"] * 100, np.str_)
    described = fit_and_describe(replace(films, subgroups={"view": views}))
    text = card_sections(described, "drawn films")
    assert "| view AP | 100 |" in text
    assert "| view PA | 100 |" in text


def test_sections_of_a_card_are_replaced_where_they_stand_and_others_stay() -> None:
    card = with_sections(CARD, "## Calibration\n\nnew\n\n## Operating points\n\nmuch\n")
    assert card == (
        "# Model m\n\nIntro.\n\n## Calibration\n\nnew\n\n## Licence\n\nkept\n\n## Operating points\n\nmuch\n"
    )
    assert with_sections(card, "## Calibration\n\nnew\n") == card


def test_a_section_of_an_older_card_is_replaced_though_its_heading_was_another() -> None:
    card = with_sections(
        "# Model m\n\n## What it would buy\n\nold\n\n## Licence\n\nkept\n", "## Operating points\n\nnew\n"
    )
    assert card == "# Model m\n\n## Operating points\n\nnew\n\n## Licence\n\nkept\n"
