"""`calibrate --unlabelled` and `--choose`, on drawn scans."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from cxr_calibration.calibrate import CalibrateOptions, calibrate_model
from cxr_calibration.labels.film_csv import read_rows
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.unlabelled import expect_without_labels
from cxr_cli.calibration import calibrate
from cxr_runtime.errors import CalibrationError, UsageError
from cxr_runtime.model.folder import open_model
from cxr_runtime.model.looks import LOOKS
from cxr_runtime.store.rows import StoredScore
from drawn_films import drawn_films
from model_folders import write_model_folder
from scored_scans import drawn_scores, write_scan


def _scores(
    films: LabelledFilms, model: Path, night: str, *, look: float = 0.0, seed: int = 1
) -> list[StoredScore]:
    random = np.random.default_rng(seed)
    sha256 = open_model(model).manifest.model_sha256
    return [
        replace(
            score,
            outcome=replace(
                score.outcome, file=f"{night}/{score.outcome.file}", sha256=f"{seed:08x}{n:056x}"
            ),
            looks=tuple((random.normal(size=len(LOOKS)) + look).tolist()),
        )
        for n, score in enumerate(drawn_scores(films, model_sha256=sha256))
    ]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was calibrated on 400 films."""
    folder, films = tmp_path_factory.mktemp("clinic"), drawn_films(400, apart=2.5)
    model = write_model_folder(folder / "model")
    scores = _scores(films, model, "first")
    write_scan(folder / "first", scores)
    rows = [
        f"{score.outcome.file},{int(truth)},{'AP' if n % 3 else 'PA'}"
        for n, (score, truth) in enumerate(zip(scores, films.truth, strict=True))
    ]
    (folder / "labels.csv").write_text("\n".join(["file,label,view", *rows]))
    calibrate_model(folder / "labels.csv", CalibrateOptions(model, folder / "first"))
    return folder


def _night(clinic: Path, name: str, films: int, *, look: float = 0.0, prevalence: float = 0.1) -> Path:
    drawn = drawn_films(films, apart=2.5, prevalence=prevalence, seed=7)
    return write_scan(clinic / name, _scores(drawn, clinic / "model", name, look=look, seed=2))


def test_films_that_look_alike_get_an_expectation_that_holds(clinic: Path) -> None:
    site = expect_without_labels(_night(clinic, "alike", 300), clinic / "model")
    point = open_model(clinic / "model").calibration.operating_point()
    films = drawn_films(20000, apart=2.5, prevalence=0.1, seed=8)
    said = open_model(clinic / "model").calibration.probability(films.margins) >= point.threshold
    assert site.films == 300
    assert site.expected.sensitivity.low <= said[films.truth].mean() <= site.expected.sensitivity.high
    assert site.expected.specificity.low <= (~said[~films.truth]).mean() <= site.expected.specificity.high
    assert site.expected.mixture.abnormal.value == pytest.approx(0.1, abs=0.05)
    assert site.knows_views


def test_the_expectation_starts_from_the_sensitivity_that_is_stated(clinic: Path, tmp_path: Path) -> None:
    night = _night(clinic, "stated", 300)
    before = expect_without_labels(night, clinic / "model").expected.sensitivity
    model = Path(shutil.copytree(clinic / "model", tmp_path / "model"))
    content = json.loads((model / "calibration.json").read_text())
    point = content["operating_points"]["balanced"]
    point["sensitivity"] -= 0.1
    point["sensitivity_interval"] = [end - 0.1 for end in point["sensitivity_interval"]]
    del content["content_sha256"]
    (model / "calibration.json").write_text(json.dumps(content))
    after = expect_without_labels(night, model).expected.sensitivity
    assert after.value == pytest.approx(before.value - 0.1)


def test_films_that_look_foreign_are_refused_with_the_next_step(clinic: Path) -> None:
    night = _night(clinic, "foreign", 150, look=2.0)
    with pytest.raises(CalibrationError, match="cannot be known without labels: they look unlike") as refused:
        expect_without_labels(night, clinic / "model")
    assert "--choose 60" in str(refused.value)


def test_a_few_films_are_refused(clinic: Path) -> None:
    with pytest.raises(CalibrationError, match="has 40 films with a score"):
        expect_without_labels(_night(clinic, "few", 40), clinic / "model")


def test_a_calibration_that_does_not_say_how_its_films_looked_is_refused(
    clinic: Path, tmp_path: Path
) -> None:
    plain = write_model_folder(tmp_path / "plain")
    with pytest.raises(CalibrationError, match="does not say how its films looked and scored"):
        expect_without_labels(_night(clinic, "plain", 120), plain)


def _run(*arguments: str | Path) -> str:
    app = typer.Typer()
    app.command()(calibrate)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_the_command_says_what_to_expect_and_changes_nothing(clinic: Path) -> None:
    before = (clinic / "model" / "calibration.json").read_bytes()
    said = _run("--unlabelled", _night(clinic, "said", 200), "--model", clinic / "model")
    assert "200 films look like those of the calibration" in said
    assert "balanced: expected sensitivity" in said
    assert "the threshold stays as it is" in said
    assert (clinic / "model" / "calibration.json").read_bytes() == before


def test_films_are_chosen_labelled_and_become_a_calibration(clinic: Path, tmp_path: Path) -> None:
    films, model = drawn_films(500, apart=3.0, prevalence=0.3, seed=9), write_model_folder(tmp_path / "model")
    scores = _scores(films, model, "mine", seed=3)
    scan = write_scan(tmp_path / "my scan", scores)
    said = _run("--choose", "90", "--scan", scan, "--model", model)
    path = scan / "to-read.csv"
    assert f"90 of 500 films to read: {path}" in said
    typed = f"`cxr-triage calibrate --labels '{path}' --scan '{scan}' --model {model}`"
    assert said.splitlines()[-1].endswith(typed)
    truth = {s.outcome.file: int(t) for s, t in zip(scores, films.truth, strict=True)}
    rows = [
        f"{row['file']},{row['sha256']},{truth[row['file']]},{row['weight']}"
        for row in read_rows(path, ("file", "weight"))
    ]
    path.write_text("\n".join(["file,sha256,label,weight", *rows]))
    summary = calibrate_model(path, CalibrateOptions(model, scan))
    assert (summary.description.films, summary.description.patients) == (90, 90)
    assert summary.description.abnormal > 30
    point = summary.description.points[0]
    counted = point.counts.true_positives + point.counts.false_negatives
    assert counted / point.counts.films == pytest.approx(float(films.truth.mean()), abs=0.1)
    assert point.sensitivity.high - point.sensitivity.low > 0.05


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--labels is missing"),
        (["--labels", "a.csv", "--choose", "60"], "--labels and --choose exclude each other"),
        (["--choose", "60"], "--choose needs the scan"),
    ],
)
def test_one_way_to_calibrate_is_asked_for(arguments: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        _run(*arguments)
