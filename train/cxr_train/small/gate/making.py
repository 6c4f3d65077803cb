"""Makes and measures the gate network."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr_calibration.statistics.folds import folds_in_turn
from cxr_runtime.gate import Gate
from cxr_runtime.gate.network import GATE_FILE, INPUT_SIDE, GateNetwork, PictureKind
from cxr_runtime.lungs import lung_field
from cxr_runtime.progress import Progress
from cxr_train.small.gate.network import train_gate_net
from cxr_train.small.gate.pictures import Picture, read_pictures
from cxr_train.small.gate.trials import Answer, ask, bad_trials, good_trials, markdown
from cxr_train.small.training import Schedule, write_onnx

TABLE_FILE = "gate.md"
WRONG_FILE = (
    "wrong.txt"  # names of the films that did not end as expected: for the eye, never for the repository
)


@dataclass(frozen=True)
class Making:
    """What the gate is made from, and how it is measured."""

    data: Path  # folder with the tables and films described in docs/gate.md
    out: Path  # folder for the files
    folds: int  # of the cross-validation, by patient; 0 measures nothing
    schedule: Schedule


def make_gate(making: Making, progress: Progress) -> str:
    """Cross-validate, then train on every picture, into `out`.

    Returns:
        The confusion table of the cross-validation, markdown; empty without folds.

    Raises:
        CxrTriageError: pictures are missing, or training failed.
    """
    pictures = read_pictures(making.data)
    answers: list[Answer] = []
    fold_of = assign_folds(pictures, making.folds) if making.folds else {}
    for fold in range(making.folds):
        progress.say(f"fold {fold + 1} of {making.folds}")
        known = [picture for picture in pictures if fold_of[picture.group] != fold]
        unseen = [picture for picture in pictures if fold_of[picture.group] == fold]
        gate = _train(known, making.out / f"fold-{fold + 1}", making.schedule, progress)
        answers += ask(gate, good_trials(unseen))
        answers += ask(gate, bad_trials(unseen, np.random.default_rng(fold)))
    progress.say(f"from all {len(pictures)} pictures")
    _train(pictures, making.out, making.schedule, progress)
    if not answers:
        return ""
    table = markdown(answers)
    (making.out / TABLE_FILE).write_text(table, encoding="utf-8")
    (making.out / WRONG_FILE).write_text(_wrong(answers), encoding="utf-8")
    return table


def assign_folds(pictures: list[Picture], folds: int) -> dict[str, int]:
    """Deal out groups (patients) to folds, each kind evenly; a group is never split."""
    fold_of: dict[str, int] = {}
    for kind in PictureKind:
        groups = sorted({picture.group for picture in pictures if picture.kind is kind})
        fold_of |= dict(zip(groups, folds_in_turn(np.array(groups), folds).tolist(), strict=True))
    return fold_of


def _train(pictures: list[Picture], folder: Path, schedule: Schedule, progress: Progress) -> Gate:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / GATE_FILE.name
    write_onnx(train_gate_net(pictures, schedule, progress), path, INPUT_SIDE, "answers")
    return Gate(lung_field(), GateNetwork(path))


def _wrong(answers: list[Answer]) -> str:
    return "".join(
        f"{answer.trial.kind}\t{answer.trial.name}\t{answer.code}\n"
        for answer in answers
        if not answer.is_right
    )
