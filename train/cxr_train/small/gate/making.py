"""Makes the gate's network and weights, and judges them on patients that neither has seen."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from cxr_runtime.atomic import write_bytes
from cxr_runtime.gate import Gate
from cxr_runtime.gate.network import GATE_FILE, INPUT_SIDE, GateNetwork
from cxr_runtime.gate.visibility import SHORTEST_SIDE
from cxr_runtime.gate.weighing import WEIGHING_FILE, read_weighing, weighing_json
from cxr_runtime.lungs import lung_field
from cxr_runtime.progress import Progress
from cxr_train.small.gate.kept import kept_pictures
from cxr_train.small.gate.locked import Part
from cxr_train.small.gate.network import train_gate_net
from cxr_train.small.gate.pictures import Picture
from cxr_train.small.gate.sampling import Sampler
from cxr_train.small.gate.trials import ADMITTED, Trial, ask, bad_trials, good_trials, markdown, wrong
from cxr_train.small.gate.weighing import Weighed, fit_weighing
from cxr_train.small.int8 import write_int8
from cxr_train.small.training import Schedule, write_onnx

TABLE_FILE = "gate.md"
WRONG_FILE = "wrong.txt"  # films that did not end as expected: for the eye, never for the repository
WHOLE_FILE = "gate-float32.onnx"  # the network as it was trained, of which INT8 is made
CHOOSING_SEED, JUDGING_SEED = 1, 2  # of the films spoiled by code
SCALES, SCALES_SEED = 256, 3  # pictures that the scales of INT8 are taken from
COVERED = 99.999  # percent of a tensor's activations


@dataclass(frozen=True)
class Making:
    """What the gate is made from."""

    data: Path  # folder with the tables and films described in docs/gate.md
    out: Path  # folder for the files
    cache: Path  # folder for the pictures as they were read
    schedule: Schedule  # of no steps: no network is trained
    network: Path | None = None  # one of float32, trained before; without one and without steps: the shipped
    judges: Part = Part.LOCKED  # whose pictures judge; others only to choose by


def make_gate(making: Making, progress: Progress) -> str:
    """Train the network, fit the weights, and judge both, into `out`.

    Returns:
        The table of the pictures that judge, markdown.

    Raises:
        CxrTriageError: pictures are missing, or training failed.
    """
    making.out.mkdir(parents=True, exist_ok=True)
    pictures = kept_pictures(making.data, making.cache)
    gate = _made(making, pictures, progress)
    judges = _of(pictures, making.judges)
    progress.say(f"judging by {len(judges)} {making.judges} pictures")
    answers = ask(gate, trials_of(judges, JUDGING_SEED))
    table = markdown(answers)
    write_bytes(making.out / TABLE_FILE, table.encode())
    write_bytes(making.out / WRONG_FILE, wrong(answers).encode())
    return table


def trials_of(pictures: list[Picture], seed: int) -> Iterator[Trial]:
    """Every trial that pictures give; the same seed gives the same ones."""
    yield from good_trials(pictures)
    yield from bad_trials(pictures, np.random.default_rng(seed))


def _made(making: Making, pictures: list[Picture], progress: Progress) -> Gate:
    network = _network(making, _of(pictures, Part.LEARNING), progress)
    gate = Gate(lung_field(), GateNetwork(network))
    chosen = _of(pictures, Part.CHOOSING)
    progress.say(f"weights from {len(chosen)} pictures")
    found = (_weighed(gate, trial) for trial in trials_of(chosen, CHOOSING_SEED))
    weighing = fit_weighing([weighed for weighed in found if weighed])
    weights = making.out / WEIGHING_FILE.name
    write_bytes(weights, weighing_json(weighing, sha256(network.read_bytes()).hexdigest()))
    return replace(gate, weighing=read_weighing(weights))


def _network(making: Making, pictures: list[Picture], progress: Progress) -> Path:
    """The network in INT8, or the shipped one."""
    whole, path = making.network, making.out / GATE_FILE.name
    if making.schedule.steps:
        progress.say(f"network from {len(pictures)} pictures")
        whole = making.out / WHOLE_FILE
        write_onnx(train_gate_net(pictures, making.schedule, progress), whole, INPUT_SIDE, "answers")
    if whole is None:
        return GATE_FILE
    films, _ = Sampler(pictures).draw_batch(np.random.default_rng(SCALES_SEED), SCALES)
    write_int8(whole, films.numpy(), COVERED, path)
    return path


def _of(pictures: list[Picture], part: Part) -> list[Picture]:
    return [picture for picture in pictures if picture.part is part]


def _weighed(gate: Gate, trial: Trial) -> Weighed | None:
    """What the gate finds of a picture; None where its size alone decides."""
    if min(trial.film.hw) < SHORTEST_SIDE:
        return None
    seen = gate.doubts(trial.film)
    remark = seen.righted.remark
    is_good = trial.expected == {ADMITTED} or (remark is not None and remark.code in trial.expected)
    return Weighed(trial.kind, is_good, seen.reasons)
