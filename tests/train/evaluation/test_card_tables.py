import json
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_train.evaluation.card_tables import main


def estimate(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def measured_files(folder: Path) -> list[str]:
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
    return [str(evaluation), str(localisation)]


def test_a_card_has_a_row_a_group_and_a_row_a_kind_of_heat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(measured_files(tmp_path))
    told = capsys.readouterr().out.splitlines()
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


def test_tables_take_the_place_of_those_with_the_same_heads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured, page = measured_files(tmp_path), tmp_path / "card.md"
    main(measured)
    tables = capsys.readouterr().out.strip().split("\n\n")
    old = ["\n".join([*made.splitlines()[:2], "| of last year |"]) for made in tables]
    page.write_text("\n\n".join(["# Card", *old, "The end."]) + "\n", encoding="utf-8")
    main([*measured, str(page)])
    assert page.read_text(encoding="utf-8") == "\n\n".join(["# Card", *tables, "The end."]) + "\n"


def test_a_page_without_the_tables_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "card.md"
    page.write_text("# Card\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"0 tables of the page begin with .* expected one"):
        main([*measured_files(tmp_path), str(page)])
