"""A network measured in every precision: what each costs, how large its file is, how fast it runs."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cxr_export.films import FILMS_AT_ONCE, ExportFilms, drawn_films, real_films
from cxr_export.parity import BATCH_SIZES, Parity, measure_parity
from cxr_export.precision.acceptance import Acceptance, accept, compare
from cxr_export.precision.lower import Lowered, Precision, lowered
from cxr_export.trace import trace
from cxr_runtime.backends.engine import Engine
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.backends.openvino_cpu import OpenVinoCpu, has_bfloat16
from cxr_runtime.benchmark.engines import median_seconds
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.preprocessing import Preprocessing, normalise
from cxr_train.checkpoint import load_checkpoint
from cxr_train.heat.of_run import read_heat
from cxr_train.loop.starting_weights import origin
from cxr_train.networks import Architecture, Network, build_network, network_kind

BFLOAT16 = "bf16"  # no file: OpenVINO makes it of the float32 one


@dataclass(frozen=True)
class Subject:
    """A network to be measured."""

    name: str
    how: Preprocessing
    networks: tuple[Network, ...]  # one, or one a fold
    runs: tuple[Path, ...]  # where they come from; none: fresh weights
    started_from: str = "scratch, not trained"


@dataclass(frozen=True)
class Measured:
    """One precision of a network."""

    precision: str
    chosen: tuple[float, ...]  # percentiles of INT8's scales, one a network
    acceptance: Acceptance  # against float32, over all networks
    parity: Parity  # of the first float32 file
    megabytes: float | None  # of the file, where there is one
    onnxruntime_ms: float | None  # processor time a film on one thread, in batches
    openvino_ms: float


@dataclass(frozen=True)
class _Part:
    """One network, exported, with its films."""

    whole: bytes = field(repr=False)  # float32
    films: ExportFilms
    heat: HeatRecipe
    parity: Parity


def open_subject(argument: str) -> Subject:
    """A training run or its folds by their folder, or a network with fresh weights by its name.

    Raises:
        UsageError: there is no network of that name.
        ModelError: the folder holds no run.
    """
    folder = Path(argument)
    if folder.is_dir():
        runs = tuple(sorted(folder.glob("fold-*"))) or (folder,)
        networks, configs = zip(*(load_checkpoint(run) for run in runs), strict=True)
        recipe = configs[0].recipe
        started_from = origin(configs[0].starting_weights)
        return Subject(recipe.architecture.network, recipe.preprocessing, networks, runs, started_from)
    how = network_kind(argument).preprocessing
    torch.manual_seed(0)
    network = build_network(Architecture(argument, input_hw=how.input_hw)).eval()
    return Subject(argument, how, (network,), ())


def measure_precisions(subject: Subject, data: Sequence[Path], seconds: float) -> Iterator[Measured]:
    """Every precision in turn, float32 first.

    Args:
        subject: the network.
        data: films that precisions are made from, chosen by and judged on; phantoms if there are none.
        seconds: wall time of each timing.
    """
    how = subject.how
    runs = subject.runs or (None,)
    parts = [_prepare(network, run, how, data) for network, run in zip(subject.networks, runs, strict=True)]
    for precision in Precision:
        files = [lowered(part.whole, precision, part.films, how) for part in parts]
        engines: Iterator[Engine] = (OnnxRuntimeCpu(file.onnx) for file in files)
        yield _measured(precision.value, parts, engines, how, files, seconds)
    if has_bfloat16():
        engines = (OpenVinoCpu(part.whole, FILMS_AT_ONCE, precision=BFLOAT16) for part in parts)
        yield _measured(BFLOAT16, parts, engines, how, [], seconds)


def _prepare(network: Network, run: Path | None, how: Preprocessing, data: Sequence[Path]) -> _Part:
    films = real_films(data, how, run) if data else drawn_films(how)
    batch = normalise(films.calibration[: max(BATCH_SIZES)], how)
    whole = trace(network, how.input_hw).SerializeToString()
    heat = read_heat(run) if run is not None else _drawn_recipe(network, batch)
    return _Part(whole, films, heat, measure_parity(network, whole, batch))


def _measured(
    precision: str,
    parts: Sequence[_Part],
    engines: Iterator[Engine],
    how: Preprocessing,
    files: Sequence[Lowered],
    seconds: float,
) -> Measured:
    compared = [
        compare(part.whole, engine, part.films, how, part.heat)
        for part, engine in zip(parts, engines, strict=True)
    ]
    batch = normalise(np.resize(parts[0].films.judged, (FILMS_AT_ONCE, *how.input_hw)), how)
    timed = files[0].onnx if files else parts[0].whole
    hint = "f32" if files else precision
    openvino = OpenVinoCpu(timed, FILMS_AT_ONCE, threads=1, precision=hint)
    return Measured(
        precision=precision,
        chosen=tuple(value for file in files for value in file.chosen.values()),
        acceptance=accept(compared, parts[0].films.source),
        parity=parts[0].parity,
        megabytes=len(timed) / 1e6 if files else None,
        onnxruntime_ms=_milliseconds(OnnxRuntimeCpu(timed, threads=1), batch, seconds) if files else None,
        openvino_ms=_milliseconds(openvino, batch, seconds),
    )


def _milliseconds(engine: Engine, batch: NDArray[np.float32], seconds: float) -> float:
    taken = median_seconds(partial(engine.run, batch), seconds, clock=time.process_time)
    engine.close()
    return 1000 * taken / len(batch)


def _drawn_recipe(network: Network, batch: NDArray[np.float32]) -> HeatRecipe:
    """A heat map of drawn channel weights, for a network that was not trained: it shows all of conv5."""
    with torch.no_grad():
        conv5 = network.features(torch.from_numpy(batch)).numpy()
    weights = np.random.default_rng(0).normal(size=conv5.shape[1])
    evidence = np.tensordot(conv5, weights, axes=(1, 0))
    return HeatRecipe(
        tuple(weights.tolist()), -float(evidence.mean()), 1 / float(evidence.std()), 0.5, network.cells,
        network.conv5_layer, 1.0,
    )  # fmt: skip
