"""What a user asks of reports, and the prevalence that is asked for once."""

from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.presentation import (
    Colours,
    Presentation,
    Wishes,
    keep_prevalence,
    kept_prevalence,
    parse_prevalence,
    usual_presentation,
)


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("5 %", 0.05), ("0.05", 0.05), ("2,5%", 0.025)])
def test_a_prevalence_is_a_share_or_per_cent(text: str, share: float) -> None:
    assert parse_prevalence(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["0", "1", "100%", "5", "many", "-5%", "nan", "inf%"])
def test_what_is_no_share_between_0_and_1_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected the share of your clinic's films"):
        parse_prevalence(text)


def test_a_prevalence_that_was_stated_once_holds_for_later_scans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / "data"))
    assert usual_presentation().prevalence is None
    keep_prevalence(0.08)
    assert usual_presentation().prevalence == 0.08


@pytest.mark.parametrize("content", ["", "no JSON", "[]", '{"prevalence": "a"}', '{"prevalence": 7.0}'])
def test_what_was_kept_and_damaged_is_as_if_never_stated(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path))
    (tmp_path / "prevalence.json").write_text(content)
    assert kept_prevalence() is None


def test_the_environment_names_a_language_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_TRIAGE_LANGUAGE", "fr")
    assert usual_presentation().language == "fr"


def test_wishes_change_what_they_name_and_nothing_else() -> None:
    before = Presentation("fr", Colours.JET, 0.05, pdf_pages=7)
    assert Wishes().over(before) == before
    after = Wishes(colours=Colours.INFERNO).over(before)
    assert (after.language, after.colours, after.prevalence, after.pdf_pages) == ("fr", "inferno", 0.05, 7)
