"""The counts at the head of the reports add up to the films."""

from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.reports.exhibit import MAX_LISTED, SCORE_BINS, Reason, tally


def scored(probability: float, triage: Triage, lung_heat_share: float | None = None) -> Outcome:
    return Outcome(
        "a.png", "", Status.SCORED, probability=probability, triage=triage, lung_heat_share=lung_heat_share
    )


def unscored(status: Status, code: str) -> Outcome:
    return Outcome("b.png", "", status, code=code, message="why")


def test_every_film_is_counted_once() -> None:
    counted = tally(
        [
            scored(0.9, Triage.FLAGGED, 0.49),
            scored(0.8, Triage.FLAGGED, 0.5),
            scored(0.5, Triage.REVIEW, 0.1),
            scored(0.1, Triage.NOT_FLAGGED),
            unscored(Status.REJECTED, "lateral"),
            unscored(Status.FAILED, "truncated"),
            unscored(Status.FAILED, "truncated"),
        ]
    )
    assert (counted.scored, counted.rejected, counted.failed, counted.films) == (4, 1, 2, 7)
    assert (counted.flagged, counted.review, counted.not_flagged) == (2, 1, 1)
    assert counted.outside_lungs == 1
    assert counted.reasons == (Reason(Status.FAILED, "truncated", 2), Reason(Status.REJECTED, "lateral", 1))
    assert [outcome.code for outcome in counted.unscored] == ["lateral", "truncated", "truncated"]


def test_the_histogram_holds_every_scored_film_and_a_score_of_100_is_in_the_last_bin() -> None:
    counted = tally([scored(p, Triage.FLAGGED) for p in (0, 0.0499, 0.05, 1)])
    assert (counted.histogram[0], counted.histogram[1], counted.histogram[-1]) == (2, 1, 1)
    assert sum(counted.histogram) == 4
    assert len(counted.histogram) == SCORE_BINS


def test_the_films_named_one_by_one_are_bounded_and_the_counts_are_not() -> None:
    counted = tally(unscored(Status.FAILED, "truncated") for _ in range(MAX_LISTED + 5))
    assert len(counted.unscored) == MAX_LISTED
    assert counted.failed == MAX_LISTED + 5
