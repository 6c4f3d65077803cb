import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from cxr_calibration.fit.description import BARE_SOFTMAX, FitOptions, fit_and_describe
from cxr_calibration.fit.threshold_costs import Clinic
from cxr_calibration.labels.labelled_films import LabelledFilms, UnscoredFilm
from cxr_calibration.monitoring.checks import Threshold, share_check
from cxr_calibration.monitoring.drift_report import DriftReport
from cxr_calibration.monitoring.nights import Night, NightReport
from cxr_calibration.monitoring.reference import ReferenceFilm, make_reference
from cxr_calibration.pages.calibration_page import calibration_page
from cxr_calibration.pages.chart import Chart
from cxr_calibration.pages.monitor_page import monitor_page
from cxr_calibration.pages.page import Table, filled
from cxr_calibration.statistics.intervals import UNKNOWN, Estimate, percent, percent_interval
from cxr_runtime.language import language, speaking
from drawn_films import drawn_films


def _films() -> LabelledFilms:
    films = drawn_films(300)
    views = np.where(np.random.default_rng(1).random(300) < 0.4, "AP", "PA")
    return LabelledFilms(films.margins, films.truth, films.patients, {"view": views})


def test_the_page_has_every_part_and_fetches_nothing() -> None:
    films = _films()
    description = fit_and_describe(films, FitOptions(error_rate=0.1))
    unscored = [UnscoredFilm("<b>.png", "lateral", "it is lateral")]
    text = calibration_page(description, films, Clinic(0.05), model="default", unscored=unscored)
    for part in ("who-triage", "Reliability", "Brier score", "p (Holm)", "cost a case", "&lt;b&gt;.png"):
        assert part in text
    assert text.count("<svg") == 2
    assert "http" not in text
    assert text.count("<tr>") > 101


def test_the_pages_speak_the_language_of_the_moment_and_their_figures_stay_english() -> None:
    films = _films()
    description = fit_and_describe(films, FitOptions(error_rate=0.1))
    night = Night(Path("monday"), "", ())
    checks = (share_check("flagged share", 30, 40, 10, 40), share_check("view AP", 9, 40, 10, 40))
    found = DriftReport((NightReport("monday", "", 40, 40, checks, 0.01),), None, 0.01)
    threshold = Threshold(BARE_SOFTMAX, 0.5)
    usual = make_reference([ReferenceFilm(0.5)], patients=None, is_everyday=True)
    with speaking(language("ar")):
        page = calibration_page(description, films, Clinic(0.05), model="default")
        assert '<html lang="ar" dir="rtl">' in page
        assert "نقاط التشغيل" in page
    with speaking(language("fr")):
        page = monitor_page(found, [night], usual, threshold)
    assert "ALARME : 1 de 2 contrôles de 40 clichés" in page
    assert "monday: part signalée : 75\u202f% (30 sur 40), attendu 25\u202f%" in page
    assert "incidence AP" in page
    assert found.sentence.startswith("ALARM: 1 of 2 checks of 40 films in 1 scan is beyond chance")


def _monitored(name: str, *reports: NightReport) -> str:
    """The page on some nights, in a language."""
    usual = make_reference([ReferenceFilm(0.5)], patients=None, is_everyday=True)
    found, nights = DriftReport(reports, None, 0.01), [Night(Path("night"), "", ())]
    with speaking(language(name)):
        return monitor_page(found, nights, usual, Threshold(BARE_SOFTMAX, 0.5))


def _night(name: str, films: int = 2, scored: int = 1) -> NightReport:
    checks = (share_check("flagged share", 182, 1000, 10, 40),)
    return NightReport(name, "2026-11-30T18:59:22+01:00", films, scored, checks, 0.01)


@pytest.mark.parametrize("name", ["en", "ar", "es", "fr", "pt"])
def test_the_time_of_a_night_stands_in_an_element_of_its_own_without_codes(name: str) -> None:
    text = _monitored(name, _night("monday"))
    day = "2026-11-30" if name == "en" else "30/11/2026"
    assert f"<bdi>{day} 18:59 (UTC+01:00)</bdi>" in text
    assert "\\u20" not in text


def test_the_figures_of_a_night_are_written_as_in_the_language() -> None:
    text = _monitored("fr", _night("monday"))
    cells = ("part signalée", "0,182", "0,250", "1\u202f000")
    assert [f"<td>{cell}</td>" in text for cell in cells] == [True] * len(cells)
    assert "clichés notés\u00a0: 1 sur 2" in text
    assert "fausses alarmes : au plus 1,0\u202f%" in text.replace("\u00a0", " ")
    assert not re.search(r">\d+\.\d+<", text)


def test_a_night_has_the_name_of_its_folder_whatever_that_means_in_a_language() -> None:
    text = _monitored("fr", _night("all"), _night("scores"), _night("all nights together"))
    assert re.findall("<h2><bdi>(.*?)</bdi>", text) == ["toutes les nuits ensemble", "scores", "all"]


@pytest.mark.parametrize(("nights", "ticks"), [(1, "1"), (3, "1 2 3"), (12, "1 4 7 10")])
def test_the_axis_of_scans_has_whole_numbers_alone(nights: int, ticks: str) -> None:
    text = _monitored("en", *[_night(f"night {n}") for n in range(nights)])
    assert re.findall(r'class="tick middle"[^>]*>([^<]+)<', text.partition("</svg>")[0]) == ticks.split()


def test_one_film_is_counted_as_one_in_every_sentence() -> None:
    check = share_check("view AP", 0, 1, 10, 40)
    alone = DriftReport((NightReport("monday", "", 1, 1, (check,), 0.01),), None, 0.01)
    assert "1 check of 1 film in 1 scan" in alone.sentence
    nothing = DriftReport((NightReport("monday", "", 1, 0, (), 0.01),), None, 0.01)
    assert nothing.sentence == "nothing to compare: 1 film in 1 scan"


def test_charts_are_well_formed_and_stay_within_their_frame() -> None:
    chart = Chart('a "title" <', "x & y", "share")
    chart.line([(0, 0), (1, 1)], "first", "perfect")
    chart.band([(0, 0.1, 0.2), (1, 0.3, 0.4)], "second", "band <")
    chart.bars([(0, 0.5, 0.3)], "third")
    chart.points([(0.5, 0.5)], "first")
    chart.whiskers([(0.5, 0.4, 0.6)], "first")
    chart.upright(0.3, "rule-out")
    root = ElementTree.fromstring(chart.svg())
    drawn = [float(dot.attrib["cx"]) for dot in root.iter("circle")]
    assert drawn == [(54 + 446) / 2]
    assert len(list(root.iter("rect"))) == 3  # a bar and two swatches of the key


def test_text_from_outside_cannot_become_markup() -> None:
    found = DriftReport((), None, 0.01, "a < b")
    checks = Table(["&"], [["<i>"]], caption='"')
    text = filled(
        "monitor.html",
        found=found,
        charts=(),
        nights=[(_night("<script>"), checks)],
        name_of=lambda night: night.name,
        finished=lambda night: night.finished,
    )
    assert "<script>" not in text
    assert "<i>" not in text
    assert "a &lt; b" in text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.875, "88 %"), (0.5, "50 %"), (0.05, "5.0 %"), (0.001, "0.10 %"), (0.9993, "99.93 %"), (0, "0 %"),
     (1, "100 %"), (float("nan"), "-")],
)  # fmt: skip
def test_percentages_have_the_digits_that_matter(share: float, text: str) -> None:
    assert percent(share) == text


def test_intervals_are_left_out_where_there_is_none() -> None:
    assert percent_interval(Estimate(0.875, 0.8, 0.92)) == "88 % (80-92)"
    assert percent_interval(UNKNOWN) == "-"


def test_an_auc_of_few_patients_has_no_interval_on_the_page() -> None:
    films = drawn_films(60)
    patients = np.array([f"p{number % 5} {truth}" for number, truth in enumerate(films.truth)])
    few = replace(films, patients=patients)
    with speaking(language("fr")):
        page = calibration_page(fit_and_describe(few), few, Clinic(0.05), model="default")
    assert "(trop peu de clichés)" in page
    assert "nan" not in page
