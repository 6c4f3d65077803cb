from pathlib import Path

import numpy as np
import pytest

from cxr_calibration.monitoring.reference import read_reference
from cxr_calibration.out_of_fold import calibrate_out_of_fold, read_margins
from cxr_runtime.errors import UsageError
from cxr_runtime.model.folder import open_model
from cxr_runtime.model.looks import LOOKS
from drawn_films import drawn_films
from model_folders import write_model_folder


def _file(folder: Path, films: int = 200) -> Path:
    drawn, path = drawn_films(films, films_a_patient=2), folder / "margins.csv"
    rows = [
        f"{number}.png,{int(truth)},{margin:.6f},{patient},{'PA' if number % 2 else 'AP'},0.5"
        for number, (truth, margin, patient) in enumerate(
            zip(drawn.truth, drawn.margins, drawn.patients, strict=True)
        )
    ]
    path.write_text("\n".join(["file,label,margin,patient,view,brightness", *rows]))
    return path


def test_margins_are_read_with_patients_views_and_brightness(tmp_path: Path) -> None:
    films, reference = read_margins(_file(tmp_path))
    assert (films.films, films.number_of_patients) == (200, 100)
    assert list(films.subgroups) == ["view"]
    assert reference.views == {"AP": 100, "PA": 100}
    assert reference.brightness is not None
    assert (reference.contrast, reference.films, reference.independent_films) == (None, None, 100)


def test_the_text_for_the_card_is_given_and_the_model_calibrated(tmp_path: Path) -> None:
    model = write_model_folder(tmp_path / "model")
    (model / "card.md").write_text("# Model\n\n## Operating points\n\nof before\n\n## Licence\n\nkept\n")
    text = calibrate_out_of_fold(_file(tmp_path), "drawn films", model, error_rate=0.1)
    assert "## Operating points" in text
    assert "drawn films" in text
    assert open_model(model).calibration.operating_point().review_low is not None
    card = (model / "card.md").read_text()
    assert all(line in card for line in text.splitlines())
    assert "of before" not in card
    assert "kept" in card
    assert read_reference(model / "calibration.json").independent_films == 100


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.png,1,", "line 2, column margin: found nothing, expected a number"),
        ("a.png,1,inf", "line 2, column margin: found 'inf', expected a number"),
    ],
)
def test_a_row_without_a_margin_is_refused(tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / "margins.csv").write_text(f"file,label,margin\n{row}\n")
    with pytest.raises(UsageError, match=said):
        read_margins(tmp_path / "margins.csv")


def test_looks_of_the_margins_file_become_what_a_scan_compares_with(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    looks = ["|".join(f"{number:.4f}" for number in row) for row in random.normal(size=(120, len(LOOKS)))]
    rows = [f"{n}.png,{n % 2},{random.normal() + 3 * (n % 2):.4f},{look}" for n, look in enumerate(looks)]
    (tmp_path / "m.csv").write_text("\n".join(["file,label,margin,looks", *rows]))
    _, reference = read_margins(tmp_path / "m.csv")
    assert reference.looks is not None
    assert reference.looks.films == 120
    (tmp_path / "m.csv").write_text("\n".join(["file,label,margin,looks", *rows, "x.png,1,2.0,1|much"]))
    with pytest.raises(UsageError, match="column looks"):
        read_margins(tmp_path / "m.csv")


def test_a_margins_file_of_another_network_founds_the_promise_on_more_films(tmp_path: Path) -> None:
    margins, model = _file(tmp_path), write_model_folder(tmp_path / "model")
    (model / "card.md").write_text("# Model\n")
    more = margins.read_text().splitlines()
    others = [row.replace(".png", "-more.png").split(",") for row in more[1:]]
    rows = [
        ",".join([file, label, margin, f"{patient}x", *rest])
        for file, label, margin, patient, *rest in others
    ]
    beside = tmp_path / "beside.csv"
    beside.write_text("\n".join([*more, *rows]))
    text = calibrate_out_of_fold(margins, "drawn films", model, beside=beside)
    assert "and 200 others" in text
    assert read_reference(model / "calibration.json").independent_films == 100
    beside.write_text("\n".join([*more, others[0][0] + "," + ",".join(others[0][1:])]))
    with pytest.raises(UsageError, match="patient 0 has other films in"):
        calibrate_out_of_fold(margins, "drawn films", model, beside=beside)
