"""calibration.html: what a calibration is worth, for the people who will use it."""

from collections.abc import Sequence
from math import isnan

import numpy as np

from cxr_calibration.fit.description import BARE_SOFTMAX, Description
from cxr_calibration.fit.operating_points import MeasuredPoint
from cxr_calibration.fit.threshold_costs import Clinic, ThresholdRow, threshold_row
from cxr_calibration.labels.labelled_films import LabelledFilms, UnscoredFilm
from cxr_calibration.pages.chart import Chart
from cxr_calibration.pages.page import Figure, Table, filled
from cxr_calibration.statistics.intervals import Estimate, percent, percent_interval
from cxr_calibration.statistics.probability_scores import reliability
from cxr_runtime.language import _, later, number, written
from cxr_runtime.reports.stored_sentences import translated

# What subgroups are of, as calibration.json has it.
VARIABLES = (
    later("view"),
    later("sex"),
    later("age"),
    later("site"),
    later("sensitivity"),
    later("specificity"),
)
SCORES_SHOWN = 100  # rows of the page's threshold table: whole points of the score


def calibration_page(
    description: Description,
    films: LabelledFilms,
    clinic: Clinic,
    *,
    model: str,
    unscored: Sequence[UnscoredFilm] = (),
) -> str:
    """The page as HTML.

    Args:
        description: from `fit_and_describe`.
        films: the films it was fitted on.
        clinic: whom the costs are for.
        model: its name.
        unscored: labelled films that got no score.
    """
    said = description.choice.probabilities
    scores = [threshold_row(score / 100, said, films, clinic) for score in range(SCORES_SHOWN + 1)]
    return filled(
        "calibration.html",
        model=model,
        description=description,
        auc=_area(description.auc),
        points=_points(description),
        prevalences=_prevalences(description),
        charts=(_reliability(description, films), _sensitivity_and_specificity(description, scores)),
        quality=_quality(description),
        subgroups=_subgroups(description),
        differences=_differences(description),
        thresholds=_thresholds(scores, clinic),
        unscored=_unscored(unscored),
    )


def _area(auc: Estimate) -> str:
    if isnan(auc.low):
        return _("{auc} (too few films)", auc=number(auc.value, 3))
    return written(str(auc))


def _share(share: float) -> str:
    return written(percent(share))


def _interval(estimate: Estimate) -> str:
    return written(percent_interval(estimate))


def _points(description: Description) -> Table:
    """A row an operating point: where it lies, what was measured of it, and whether its promise is met."""
    header = [
        _("operating point"), _("score"), _("sensitivity"), _("specificity"), _("flagged"), _("to review"),
        _("met"), _("why not"),
    ]  # fmt: skip
    return Table(header, [_point(point, description) for point in description.points], words=(7,))


def _prevalences(description: Description) -> Table:
    """A row an operating point and prevalence: PPV, NPV and flagged share."""
    rows = [
        [
            point.name,
            _share(at.prevalence),
            _interval(at.ppv),
            _interval(at.npv),
            _share(at.flagged_share),
        ]
        for point in description.points
        for at in point.at_prevalence
    ]
    header = [_("operating point"), _("prevalence"), _("PPV"), _("NPV"), _("flagged")]
    return Table(header, rows, _("What a flag means where this share of the films is abnormal"))


def _quality(description: Description) -> Table:
    """Brier score, calibration error and log loss before and after."""
    rows = [
        [name, *(number(measure, 4) for measure in (part.brier, part.calibration_error, part.log_loss))]
        for name, part in ((_("bare softmax"), description.before), (_("calibrated"), description.after))
    ]
    header = [_("probabilities"), _("Brier score"), "ECE", _("log loss")]
    return Table(header, rows, _("Smaller is better; by cross-validation"))


def _reliability(description: Description, films: LabelledFilms) -> Figure:
    """Said probability against found share, before and after."""
    chart = Chart(_("Reliability"), _("probability said"), _("share abnormal"))
    chart.line([(0, 0), (1, 1)], "plain", _("perfect"))
    before = reliability(BARE_SOFTMAX.probability(films.margins), films.truth)
    chart.line([(part.probability, part.abnormal.value) for part in before], "second", _("bare softmax"))
    after = description.reliability
    chart.whiskers([(part.probability, part.abnormal.low, part.abnormal.high) for part in after], "first")
    chart.points([(part.probability, part.abnormal.value) for part in after], "first", _("calibrated"))
    return Figure(
        chart,
        _(
            "Films in tenths by probability. Each film's probability comes from a map fitted without the "
            "film. Bars: 95 % intervals."
        ),
    )


def _sensitivity_and_specificity(description: Description, rows: Sequence[ThresholdRow]) -> Figure:
    """Sensitivity and specificity at every score, and where the operating points lie."""
    chart = Chart(
        _("Thresholds"), _("score at or above which films are flagged"), _("share"), x_range=(0, 100)
    )
    for name, measure, style in (
        (_("sensitivity"), "sensitivity", "first"),
        (_("specificity"), "specificity", "second"),
    ):
        along = [(100 * row.threshold, getattr(row, measure)) for row in rows]
        chart.band([(x, estimate.low, estimate.high) for x, estimate in along], style)
        chart.line([(x, estimate.value) for x, estimate in along], style, name)
    for point in description.points:
        chart.upright(100 * min(point.threshold, 1.0), point.name)
    return Figure(chart, _("Bands: 95 % intervals, films of one patient counted together."))


def _point(point: MeasuredPoint, description: Description) -> list[str]:
    band = description.bands.get(point.name)
    return [
        _("{name} (default)", name=point.name) if point.name == description.default else point.name,
        number(100 * point.threshold, 1),
        _interval(point.sensitivity),
        _interval(point.specificity),
        _interval(point.flagged_share),
        _interval(band.review_share) if band else "-",
        _("yes") if point.met else _("no"),
        translated(point.shortfall),
    ]


def _subgroups(description: Description) -> Table:
    """A row a level of view, sex, age group and site; no row where the labels state none of them."""
    rows = [
        [
            translated(group.variable), group.level or _("not stated"), number(group.films),
            number(group.abnormal), _interval(group.sensitivity), _interval(group.specificity),
        ]
        for group in description.subgroups.subgroups
    ]  # fmt: skip
    header = [_("variable"), _("level"), _("films"), _("abnormal"), _("sensitivity"), _("specificity")]
    return Table(header, rows, _("At {operating_point}", operating_point=description.default))


def _differences(description: Description) -> Table:
    rows = [
        [
            translated(found.variable),
            translated(found.measure),
            number(found.p_value, 4),
            number(found.adjusted_p_value, 4),
        ]
        for found in description.subgroups.differences
    ]
    caption = _("Do the levels differ? Tested by permutation of patients")
    return Table([_("variable"), _("measure"), "p", "p (Holm)"], rows, caption)


def _thresholds(rows: Sequence[ThresholdRow], clinic: Clinic) -> Table:
    header = [_("score"), _("TP"), _("FP"), _("TN"), _("FN"), _("sensitivity"), _("specificity"), _("PPV")]
    header += [_("NPV"), _("found"), _("missed"), _("to read"), _("cost"), _("cost a case")]
    price, reading = (written(f"{each:g}") for each in (clinic.price_per_film, clinic.price_per_read))
    caption = _(
        "TP, FP, TN and FN count the labelled films. The columns from PPV on are for {films} films, {share} "
        "of them abnormal, at {price} a film and {reading} a film read.",
        films=number(clinic.films),
        share=_share(clinic.prevalence),
        price=price,
        reading=reading,
    )
    return Table(header, [_counted(row) + _costed(row) for row in rows], caption)


def _counted(row: ThresholdRow) -> list[str]:
    counts = row.counts
    four = (counts.true_positives, counts.false_positives, counts.true_negatives, counts.false_negatives)
    shares = (row.sensitivity, row.specificity)
    return [number(100 * row.threshold), *map(number, four), *map(_interval, shares)]


def _costed(row: ThresholdRow) -> list[str]:
    no_case = np.isnan(row.cost_per_case_found)
    return [
        _share(row.ppv),
        _share(row.npv),
        number(row.cases_found, 1),
        number(row.cases_missed, 1),
        number(row.films_to_read),
        number(row.cost),
        "-" if no_case else number(row.cost_per_case_found, 2),
    ]


def _unscored(unscored: Sequence[UnscoredFilm]) -> Table:
    rows = [[film.file, film.code, translated(film.sentence)] for film in unscored]
    return Table([_("file"), _("code"), _("why")], rows, words=(2,))
