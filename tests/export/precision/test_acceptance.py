"""Whether a lower precision may be used."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from cxr_export.films import ExportFilms
from cxr_export.precision.acceptance import LIMITS, Acceptance, accept, compare, refuse_costly
from cxr_runtime.errors import ModelError
from cxr_runtime.model.folder import Manifest
from export_results import paired

WELL = Acceptance(100, "nih", paired(0.0, -0.001, 0.001), 0.2, 0.9999, 0.99)


def _scaled(model: onnx.ModelProto, name: str, factor: float) -> bytes:
    """The model with one constant multiplied."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    tensor = next(one for one in changed.graph.initializer if one.name.endswith(name))
    values = np.asarray(numpy_helper.to_array(tensor) * np.float32(factor))
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return bytes(changed.SerializeToString())


def _accepted(whole: bytes, other: bytes, films: ExportFilms, manifest: Manifest) -> Acceptance:
    return accept([compare(whole, other, films, manifest.preprocessing, manifest.heat)], films.source)


def test_folds_are_judged_together(traced: onnx.ModelProto, films: ExportFilms, manifest: Manifest) -> None:
    whole = traced.SerializeToString()
    half = replace(
        films, judged=films.judged[:20], labels=None if films.labels is None else films.labels[:20]
    )
    parts = [
        compare(whole, other, some, manifest.preprocessing, manifest.heat)
        for other, some in ((whole, half), (_scaled(traced, "classifier.1.weight", 3.0), films))
    ]
    found = accept(parts, "folds")
    assert found.films == 60
    assert found.score_change == np.abs(parts[1].found - parts[1].expected).max()
    assert found.auc is not None
    unlabelled = replace(parts[0], labels=None)
    assert accept([unlabelled, parts[1]], "folds").auc is None


def test_a_model_against_itself_loses_nothing(
    traced: onnx.ModelProto, films: ExportFilms, manifest: Manifest
) -> None:
    whole = traced.SerializeToString()
    found = _accepted(whole, whole, films, manifest)
    assert found.score_change == 0
    assert found.heat_correlation == pytest.approx(1)
    assert found.lowest_heat_correlation == pytest.approx(1)
    assert found.auc is not None
    assert found.auc.difference.value == 0


def test_other_weights_show_in_the_score(
    traced: onnx.ModelProto, films: ExportFilms, manifest: Manifest
) -> None:
    other = _scaled(traced, "classifier.1.weight", 3.0)
    found = _accepted(traced.SerializeToString(), other, films, manifest)
    assert found.score_change > 1
    assert found.heat_correlation == pytest.approx(1)


def test_films_without_labels_say_nothing_of_the_auc(
    traced: onnx.ModelProto, films: ExportFilms, manifest: Manifest
) -> None:
    whole, unlabelled = traced.SerializeToString(), replace(films, labels=None)
    found = _accepted(whole, whole, unlabelled, manifest)
    assert found.auc is None
    assert "auc_change" not in found.as_numbers()


@pytest.mark.parametrize("precision", LIMITS)
def test_what_costs_little_is_accepted(precision: str) -> None:
    refuse_costly(precision, WELL)


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        ({"score_change": 12.0}, "a film's score changes by 12.00"),
        ({"score_change": float("nan")}, "a film's score changes by nan"),
        ({"heat_correlation": 0.9}, "heat maps correlate by 0.9000 only"),
        ({"auc": paired(-0.01, -0.03, 0.01)}, "the AUC may be 0.0300 lower"),
    ],
)
@pytest.mark.parametrize("precision", LIMITS)
def test_each_cost_beyond_its_limit_is_refused(precision: str, cost: dict[str, float], told: str) -> None:
    with pytest.raises(ModelError, match=told):
        refuse_costly(precision, replace(WELL, **cost))  # type: ignore[arg-type]  # one field, of its own type


def test_films_of_one_patient_are_not_counted_as_independent(
    traced: onnx.ModelProto, films: ExportFilms, manifest: Manifest
) -> None:
    whole = traced.SerializeToString()
    part = compare(
        whole, _scaled(traced, "classifier.1.weight", 3.0), films, manifest.preprocessing, manifest.heat
    )
    random = np.random.default_rng(2)
    part = replace(part, found=part.expected + random.normal(0, part.expected.std(), len(part.expected)))
    once = accept([part], films.source).auc
    repeated = {
        name: np.repeat(getattr(part, name), 6) for name in ("expected", "found", "correlations", "labels")
    }
    often = accept(
        [replace(part, **repeated, patients=np.repeat(np.arange(40), 6).astype(np.str_))], "blobs"
    ).auc
    assert once is not None
    assert often is not None
    assert often.difference.low == pytest.approx(once.difference.low)
