from collections.abc import Sequence
from pathlib import Path

import pytest

from cxr_calibration.statistics.intervals import Estimate, percent_interval
from cxr_runtime.model.folder import Model, open_model
from cxr_runtime.progress import Progress, Silence
from cxr_runtime.store.rows import StoredScore
from cxr_runtime.typed_json import from_json
from cxr_train.evaluation import calibration_page as made
from drawn_data_sets import write_film
from drawn_films import drawn_films
from scored_scans import drawn_scores

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/default-calibration.md").read_text(encoding="utf-8")
STALE = f"the page is stale: run `{made.COMMAND}`"


def test_the_page_is_about_the_model_that_is_shipped() -> None:
    model = open_model()
    assert PAGE.startswith(made.page_head(model.manifest.model_sha256)), STALE
    card = (model.folder / "card.md").read_text(encoding="utf-8")
    sections = card[card.index("## Calibration") : card.index("## Must not be used")].strip()
    assert f"\n\n{sections}\n\n## Monitoring\n" in PAGE, STALE


def test_the_page_has_the_figures_of_the_calibration_that_is_shipped() -> None:
    stated = from_json((open_model().folder / "calibration.json").read_bytes(), dict[str, object])
    points = stated["operating_points"]
    assert isinstance(points, dict)
    for point in points.values():
        shares = [
            percent_interval(Estimate(point[name], *point[f"{name}_interval"]))
            for name in ("sensitivity", "specificity")
        ]
        assert f"| {100 * point['threshold']:.1f} | {' | '.join(shares)} |" in PAGE, STALE


def test_one_call_makes_the_whole_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    films = drawn_films(200)
    for name in ("nih512", "nlm128"):
        write_film(tmp_path / name / "0.png", False, 0)
        rows = [f"{name}/0.png,AP"] * 8
        (tmp_path / f"{name}.csv").write_text("\n".join(["file,view", *rows]))
    margins = [
        f"{number}.png,{int(truth)},{margin:.6f}"
        for number, (truth, margin) in enumerate(zip(films.truth, films.margins, strict=True))
    ]
    file = tmp_path / "margins.csv"
    file.write_text("\n".join(["file,label,margin", *margins]))
    monkeypatch.setattr(made, "score_films", _scored)
    page = made.calibration_page(file, tmp_path, Silence(), nights=3)
    assert page.startswith("# The default model")
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == ["## Calibration", "## Operating points", "## Monitoring"]
    assert page.count("| AP-alone |") == len(made.NIGHTS)


def _scored(model: Model, films: Sequence[Path], progress: Progress) -> list[StoredScore]:
    assert films
    progress.say(f"{len(films)} films")
    return drawn_scores(drawn_films(200), model_sha256=model.manifest.model_sha256)
