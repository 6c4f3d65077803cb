import json
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_train.evaluation.model_rows import main, model_rows


def estimate(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


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


def test_only_the_heat_that_a_scan_shows_is_in_the_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluation = write_evaluation(tmp_path / "1.json", "one", {"site NIH": 0.8})
    measured = {"pointing": estimate(0.7), "overlap": estimate(0.3)}
    places = [
        {"model": "one", "method": "cam", "measured": measured},
        {"model": "one", "method": "grad-cam", "measured": {name: estimate(0.1) for name in measured}},
        {"model": "(none)", "method": "chance", "measured": measured},
    ]
    (tmp_path / "places.json").write_text(json.dumps(places), encoding="utf-8")
    main([str(evaluation), "--localisation", str(tmp_path / "places.json"), "--intervals"])
    row = capsys.readouterr().out.splitlines()[2]
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
