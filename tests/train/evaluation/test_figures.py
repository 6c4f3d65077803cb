"""What the figures of an evaluation say of how well an AUC is known."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from cxr_train.evaluation.cost import Cost
from cxr_train.evaluation.figures import draw_figures
from cxr_train.evaluation.scoring import ScoredModel


def _said(films_a_patient: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The line of the ROC curve's legend, of 60 films."""
    said: list[str] = []

    def read(figure: Figure, path: Path, **_: object) -> None:
        if path.stem == "roc":
            said.extend(str(label) for label in figure.axes[0].get_legend_handles_labels()[1])

    monkeypatch.setattr(Figure, "savefig", read)
    labels, rows = np.arange(60) // 30, np.arange(60)
    probability = np.clip(
        0.3 + 0.2 * labels + np.repeat(np.random.default_rng(1).normal(0, 0.2, 20), 3), 0, 1
    )
    patients = np.array([f"p{number // films_a_patient}" for number in range(60)])
    model = ScoredModel("tiny", "tiny", "scratch", Cost(1, 1, 1.0, 1.0), probability)
    draw_figures([model], labels, patients, rows, 0.5, tmp_path)
    return said[0]


def test_the_interval_on_the_roc_curve_is_by_patient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone, together = (_said(films, monkeypatch, tmp_path) for films in (1, 3))
    assert alone[: len("tiny: AUC 0.000")] == together[: len("tiny: AUC 0.000")]
    assert alone != together


def test_few_patients_have_no_interval_on_the_roc_curve(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert _said(6, monkeypatch, tmp_path).endswith("(too few films)")
