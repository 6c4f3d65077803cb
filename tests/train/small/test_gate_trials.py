import numpy as np

from cxr_runtime.gate import Gate
from cxr_runtime.lungs import lung_field
from cxr_train.small.gate.making import assign_folds
from cxr_train.small.gate.trials import ask, bad_trials, good_trials, markdown
from gate_pictures import gate_pictures

KINDS = {
    "mirrored",
    "inverted (to be corrected)",
    "lungs cut off",
    "blurred",
    "too dark",
    "too bright",
    "too small",
    "piece of a film",
    "photographed",
    "screenshot",
    "several films on a page",
    "lateral",
    "natural picture",
}


def test_a_patient_is_never_on_both_sides_and_folds_are_even() -> None:
    pictures = gate_pictures(6)
    fold_of = assign_folds(pictures, 3)
    assert set(fold_of) == {picture.group for picture in pictures}
    counts = np.bincount([fold_of[picture.group] for picture in pictures])
    assert counts.min() == counts.max()


def test_every_kind_of_bad_film_is_tried() -> None:
    kinds = {trial.kind for trial in bad_trials(gate_pictures(2), np.random.default_rng(0))}
    assert kinds >= KINDS
    assert any(kind.startswith("turned by") for kind in kinds)
    assert any(kind.startswith("drawn") for kind in kinds)


def test_the_shipped_gate_passes_drawn_chests_and_its_table_counts_them() -> None:
    pictures = gate_pictures(2)
    answers = ask(Gate(lung_field()), good_trials(pictures))
    assert all(answer.is_right for answer in answers)
    assert "| drawn | 4 | 4 | 100.00%" in markdown(answers)


def test_a_bad_film_that_slips_through_is_counted_as_wrong() -> None:
    trials = list(bad_trials(gate_pictures(1), np.random.default_rng(1)))
    small = [trial for trial in trials if trial.kind == "too small"]
    (answer,) = ask(Gate(lung_field()), small)
    assert (answer.code, answer.is_rejected, answer.is_right) == ("too-small", True, True)
    inverted = [trial for trial in trials if trial.kind.startswith("inverted")]
    (answer,) = ask(Gate(lung_field()), inverted)
    assert (answer.code, answer.is_rejected, answer.is_right) == ("polarity-inverted", False, True)
