"""The model that comes with the program."""

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.film import GreyPixels, View
from cxr_runtime.heat.map import HeatMethod, heat_cells
from cxr_runtime.lungs import lung_field
from cxr_runtime.model.folder import Model, open_model
from cxr_runtime.model.preprocessing import normalise, place, prepare
from cxr_runtime.phantom import OpacitySpot, draw_phantom

LARGEST_FILE = 8_000_000  # bytes
Heat = NDArray[np.float32]  # (rows, columns) of the film, 0..1
SPOT = OpacitySpot(0.32, 0.6, radius=0.14, density=1.0)


@cache
def default_model() -> Model:
    return open_model()


def margin_and_heat(film: GreyPixels) -> tuple[float, Heat]:
    manifest = default_model().manifest
    how = manifest.preprocessing
    lungs = lung_field().find(film)
    placement = place(film.shape, lungs.box_film_xyxy, how)
    picture = prepare(film, placement, how, lungs)
    outputs = OnnxRuntimeCpu(default_model().onnx, threads=1).run(normalise(picture[None], how))
    cells = heat_cells(outputs.conv5[0], manifest.heat, HeatMethod.CAM, placement, lungs.box_film_xyxy)
    heat = placement.heat_on_film(cells, manifest.heat.cells, film.shape)
    return float(outputs.logits[0, 1] - outputs.logits[0, 0]), heat


def test_it_is_small_calibrated_and_measured() -> None:
    model = default_model()
    assert len(model.onnx) < LARGEST_FILE
    assert model.is_calibrated
    names = {point.name for point in model.calibration.operating_points}
    assert names == {"balanced", "who-triage", "rule-out", "capacity:20%", "fixed:0.5"}
    assert model.calibration.default_operating_point == "balanced"
    assert model.manifest.accuracy["view PA"]["auc"]["low"] > 0.5
    assert model.manifest.accuracy["localisation"]["films"] > 100
    assert model.manifest.heat.prior


def test_it_names_no_film_it_was_trained_on() -> None:
    stated = (default_model().folder / "model.json").read_text(encoding="utf-8")
    assert len(json.loads(stated)["training"]["films_sha256"]) == 64
    assert ".jpg" not in stated
    assert ".png" not in stated


def test_its_card_and_licence_say_what_it_must_not_be_used_for() -> None:
    card = (default_model().folder / "card.md").read_text(encoding="utf-8")
    for said in ("## Trained on", "## How well it does", "## Operating points", "## Must not be used"):
        assert said in card
    licence = (default_model().folder / "LICENSE").read_text(encoding="utf-8")
    for named in ("non-commercial", "NIH Clinical Center", "Wang X", "Shih G", "Jaeger S", "Iandola"):
        assert named in licence


def test_its_card_has_the_figures_of_locked_films_that_the_page_on_truth_has() -> None:
    head = "| films | n | abnormal | measure | promised | found |"
    card = (default_model().folder / "card.md").read_text(encoding="utf-8").partition(head)[2]
    rows = card.partition("\n\n")[0].splitlines()[2:]
    page = (Path(__file__).parents[3] / "docs" / "truth.md").read_text(encoding="utf-8")
    assert len(rows) > 10
    assert set(rows) <= set(page.splitlines())
    for said in ("the AUC is 0.860, not 0.943", "| JSRT, nodules | 187 | 113 | AUC | - | 0.562"):
        assert said in card


def test_drawn_opacities_raise_the_score_and_are_where_the_heat_is() -> None:
    drawn = [(seed, view) for seed in range(4) for view in (View.PA, View.AP)]
    clear = [margin_and_heat(draw_phantom(seed, view=view)) for seed, view in drawn]
    opaque = [margin_and_heat(draw_phantom(seed, view=view, opacity=SPOT)) for seed, view in drawn]
    rises = [after - before for (before, _), (after, _) in zip(clear, opaque, strict=True)]
    assert np.mean(rises) > 0.5
    assert sum(rise > 0 for rise in rises) >= 6
    heats = np.mean([[heat_of(heat) for _, heat in some] for some in (clear, opaque)], axis=1)
    assert heats[1] > heats[0]


def heat_of(heat: Heat) -> float:
    """Heat at the drawn opacity."""
    rows, columns = heat.shape
    return float(heat[round(SPOT.y * rows - 0.5), round(SPOT.x * columns - 0.5)])
