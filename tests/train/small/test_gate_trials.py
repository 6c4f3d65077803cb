import numpy as np
import pytest

from cxr_runtime.gate import Gate
from cxr_runtime.lungs import lung_field
from cxr_train.data.fifths import Fifth, fifth_of
from cxr_train.small.gate.locked import Part, part_of
from cxr_train.small.gate.trials import ask, bad_trials, good_trials, markdown, wrong
from gate_pictures import gate_pictures

KINDS = {
    "few grey levels",
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
    "drawn: whole body",
}


def test_half_of_the_patients_judge_and_so_do_all_that_judge_the_default_model() -> None:
    pictures = [part_of(f"teeth:{number}") for number in range(4000)]
    shares = {part: pictures.count(part) / len(pictures) for part in Part}
    assert shares == pytest.approx({Part.LOCKED: 0.5, Part.CHOOSING: 0.1, Part.LEARNING: 0.4}, abs=0.02)
    patients = [f"nih:{number:08}" for number in range(4000)]
    locked = {patient for patient in patients if part_of(patient) is Part.LOCKED}
    assert locked >= {patient for patient in patients if fifth_of(patient) is Fifth.LOCKED}
    assert len(locked) / len(patients) == pytest.approx(0.6, abs=0.02)


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
    assert wrong(answers) == ""


def test_a_bad_film_that_slips_through_is_counted_as_wrong() -> None:
    trials = list(bad_trials(gate_pictures(1), np.random.default_rng(1)))
    assert {trial.kind for trial in trials} >= KINDS
    small = [trial for trial in trials if trial.kind == "too small"]
    for answer in ask(Gate(lung_field()), small):
        assert (answer.code, answer.is_rejected, answer.is_right) == ("too-small", True, True)
    inverted = [trial for trial in trials if trial.kind.startswith("inverted")]
    for answer in ask(Gate(lung_field()), inverted):
        assert (answer.code, answer.is_rejected, answer.is_right) == ("polarity-inverted", False, True)
    turned = [trial for trial in trials if trial.kind.startswith("turned")]
    assert all(answer.is_right and not answer.is_rejected for answer in ask(Gate(lung_field()), turned))
