import json
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_train.evaluation.page_tables import card_tables, model_rows


def estimate(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def measured_files(folder: Path) -> tuple[Path, Path]:
    """What `evaluate` and `explain` leave of one model."""
    evaluation, localisation = folder / "evaluation.json", folder / "localisation.json"
    figures = {"films": 9, "abnormal": 4, "auc": estimate(0.8), "specificity_at_90": estimate(0.5)}
    groups = ["all films", "view PA", "site NIH"]
    row = {"model": "one", "starting_weights": "run a, begun from b (sha256 c)", "measures": figures}
    rows = [{**row, "group": group} for group in groups]
    evaluation.write_text(json.dumps({"rows": rows}), encoding="utf-8")
    measured = {name: estimate(0.3) for name in ("pointing", "overlap", "share")}
    shown = {"coloured": estimate(0.3), "red_in_box": estimate(0.7)}
    places = [
        {"method": "centre-of-mass", "starting_weights": "-", "measured": measured},
        {"method": "chance", "starting_weights": "-", "measured": {**measured, **dict.fromkeys(shown)}},
        {"method": "cam", "starting_weights": "scratch", "measured": {**measured, **shown}},
    ]
    localisation.write_text(json.dumps(places), encoding="utf-8")
    return evaluation, localisation


def test_a_card_has_a_row_a_group_and_a_row_a_kind_of_heat(tmp_path: Path) -> None:
    told = card_tables(*measured_files(tmp_path)).splitlines()
    figures = "| 9 | 4 | 0.800 (0.700-0.900) | 0.500 (0.400-0.600) |"
    assert told[2:4] == [
        f"| NIH: `Normal` against all others | a, from b {figures}",
        f"| NIH, PA films alone | a, from b {figures}",
    ]
    assert [row.split(" | ")[:2] for row in told[7:]] == [
        ["| chance", "-"],
        ["| as shown in a scan", "scratch"],
    ]
    assert told[8].endswith("| 0.300 (0.200-0.400) | 0.700 (0.600-0.800) |")


def test_tables_take_the_place_of_those_with_the_same_heads(tmp_path: Path) -> None:
    measured, page = measured_files(tmp_path), tmp_path / "card.md"
    tables = card_tables(*measured).split("\n\n")
    old = ["\n".join([*made.splitlines()[:2], "| of last year |"]) for made in tables]
    page.write_text("\n\n".join(["# Card", *old, "The end."]) + "\n", encoding="utf-8")
    card_tables(*measured, [page])
    assert page.read_text(encoding="utf-8") == "\n\n".join(["# Card", *tables, "The end."]) + "\n"


def test_a_page_without_the_tables_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "card.md"
    page.write_text("# Card\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"0 tables of the page begin with .* expected one"):
        card_tables(*measured_files(tmp_path), [page])


def write_evaluation(path: Path, model: str, groups: dict[str, float]) -> Path:
    rows = [
        {
            "model": model,
            "group": group,
            "starting_weights": "scratch",
            "measures": {"auc": estimate(area), "specificity_at_90": estimate(0.5)},
        }
        for group, area in groups.items()
    ]
    path.write_text(json.dumps({"rows": rows}), encoding="utf-8")
    return path


def test_each_model_is_a_row_with_its_figures_by_group(tmp_path: Path) -> None:
    one = write_evaluation(tmp_path / "1.json", "one", {"site NIH": 0.8, "view PA": 0.75})
    other = write_evaluation(tmp_path / "2.json", "other", {"site Shenzhen": 0.9})
    lines = model_rows([one, other]).splitlines()
    assert lines[0].startswith("| model | started from | Normal/rest | PA | AP |")
    assert lines[2:] == [
        "| one | scratch | 0.800 | 0.750 |  |  | 0.500 |  |",
        "| other | scratch |  |  |  |  |  | 0.900 |",
    ]


def test_only_the_heat_that_a_scan_shows_is_in_the_row(tmp_path: Path) -> None:
    evaluation = write_evaluation(tmp_path / "1.json", "one", {"site NIH": 0.8})
    measured = {"pointing": estimate(0.7), "overlap": estimate(0.3)}
    places = [
        {"model": "one", "method": "cam", "measured": measured},
        {"model": "one", "method": "grad-cam", "measured": {name: estimate(0.1) for name in measured}},
        {"model": "(none)", "method": "chance", "measured": measured},
    ]
    (tmp_path / "places.json").write_text(json.dumps(places), encoding="utf-8")
    row = model_rows([evaluation], tmp_path / "places.json", intervals=True).splitlines()[2]
    assert row.startswith("| one | scratch | 0.800 (0.700-0.900) |")
    assert row.endswith("| 0.700 (0.600-0.800) | 0.300 (0.200-0.400) |")


def test_every_model_can_be_told_against_one(tmp_path: Path) -> None:
    path = write_evaluation(tmp_path / "1.json", "base", {"site NIH": 0.8})
    stated = json.loads(path.read_text(encoding="utf-8"))
    rows = [{**stated["rows"][0], "model": name} for name in ("worse", "base", "better")]
    pairs = [("worse", "base", -0.04), ("worse", "better", -0.07), ("base", "better", -0.03)]
    comparisons = [
        {"first": first, "second": second, "auc": {"difference": {"value": less, "low": less, "high": 0.01}}}
        for first, second, less in pairs
    ]
    path.write_text(json.dumps({"data_sets": ["nih"], "rows": rows, "comparisons": comparisons}), "utf-8")
    worse, base, better = (row.split(" | ") for row in model_rows([path], against="base").splitlines()[2:])
    assert (worse[-1], better[-1]) == ("-0.040 (-0.040 to 0.010) |", "0.030 (-0.010 to 0.030) |")
    assert base[-1] == " |"
    with pytest.raises(UsageError, match="compares no model with another"):
        model_rows([path], against="another")


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected evaluation"):
        model_rows([tmp_path / "missing.json"])
