"""How INT8's scales are taken from films."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from cxr_export import int8_rule
from cxr_export.films import ExportFilms, film_scores, run_films
from cxr_export.int8_rule import choose_int8
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.model.manifest import Manifest


def test_the_rule_that_changes_scores_least_is_kept(
    traced: onnx.ModelProto, films: ExportFilms, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8_rule, "PERCENTILES", (50.0, 100.0))  # half of all activations cut off, or none
    whole, how = traced.SerializeToString(), manifest.preprocessing
    best = choose_int8(whole, films, how)
    assert best.percentile == 100.0
    assert best.score_changes[100.0] < best.score_changes[50.0]
    expected, found = (
        film_scores(run_films(OnnxRuntimeCpu(model), films.choosing, how)) for model in (whole, best.onnx)
    )
    assert best.score_changes[100.0] == np.abs(found - expected).mean()


def test_the_films_that_judge_are_not_looked_at(
    traced: onnx.ModelProto, films: ExportFilms, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8_rule, "PERCENTILES", (99.9, 100.0))
    whole = traced.SerializeToString()
    blind = replace(films, judged=np.zeros_like(films.judged), labels=None)
    assert choose_int8(whole, films, manifest.preprocessing) == choose_int8(
        whole, blind, manifest.preprocessing
    )
