"""The table of precisions in docs/backends.md: `python -m cxr_export.precision_table NETWORK... --data PATH`.

NETWORK is a training run, or the name of a network, which is then measured with fresh weights.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cxr_export.acceptance import Acceptance, compare
from cxr_export.films import ExportFilms, drawn_films, real_films
from cxr_export.parity import BATCH_SIZES, measure_parity
from cxr_export.precision import Precision, lowered
from cxr_export.trace import trace
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.backends.openvino_cpu import OpenVinoCpu
from cxr_runtime.benchmark.clock import median_seconds
from cxr_runtime.heat import HeatRecipe
from cxr_runtime.preprocessing import Preprocessing, normalise
from cxr_train.checkpoint import load_checkpoint
from cxr_train.heat_fit import read_heat
from cxr_train.networks import Architecture, Network, build_network, network_kind

HEAD = (
    "network", "precision", "MB", "worst difference: logits, conv5", "AUC", "change of AUC (95 %)",
    "largest change of score", "heat maps: median r, lowest", "ONNX Runtime", "OpenVINO",
)  # fmt: skip
TIMED_BATCH = 8
_MB = 10**6


@dataclass(frozen=True)
class Subject:
    """A network to be measured."""

    name: str
    network: Network
    how: Preprocessing
    run: Path | None  # None: fresh weights


def rows_of(subject: Subject, data: Sequence[Path], seconds: float) -> Iterator[tuple[str, ...]]:
    """One row a precision.

    Args:
        subject: the network.
        data: films that precisions are chosen by and judged on; phantoms if there are none.
        seconds: wall time of each timing.
    """
    network, how, run = subject.network, subject.how, subject.run
    films = real_films(data, how, run) if data else drawn_films(how)
    batch = normalise(films.calibration[: max(BATCH_SIZES)], how)
    whole = trace(network, how.input_hw).SerializeToString()
    parity = measure_parity(network, whole, batch)
    heat = read_heat(run) if run is not None else _drawn_recipe(network, batch)
    for precision in Precision:
        onnx = lowered(whole, precision, films, how)
        found = compare(whole, onnx, films, how, heat)
        worst = f"{parity.logits:.0e}, {parity.conv5:.0e}" if precision is Precision.FP32 else ""
        yield (subject.name, precision.value, f"{len(onnx) / _MB:.1f}", worst, *_told(precision, found),
               *_times(onnx, films, how, seconds))  # fmt: skip


def open_subject(argument: str) -> Subject:
    """A training run by its folder, or a network with fresh weights by its name.

    Raises:
        UsageError: it is neither.
    """
    run = Path(argument)
    if run.is_dir():
        network, config = load_checkpoint(run)
        return Subject(config.recipe.architecture.network, network, config.recipe.preprocessing, run)
    how = network_kind(argument).preprocessing
    torch.manual_seed(0)
    network = build_network(Architecture(argument, input_hw=how.input_hw)).eval()
    return Subject(f"{argument}, fresh", network, how, None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table as markdown, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="+", metavar="NETWORK", help="training runs, or names of networks")
    parser.add_argument("--data", action="append", type=Path, default=[], metavar="PATH", help="films")
    parser.add_argument("--seconds", type=float, default=2.0, help="wall time of each timing")
    options = parser.parse_args(arguments)
    for line in (HEAD, tuple("---" for _ in HEAD)):
        _print(line)
    for argument in options.networks:
        for row in rows_of(open_subject(argument), options.data, options.seconds):
            _print(row)


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


def _print(row: Sequence[str]) -> None:
    print(f"| {' | '.join(row)} |", flush=True)  # noqa: T201  # the table is the result


def _told(precision: Precision, found: Acceptance) -> tuple[str, ...]:
    area = f"{found.auc.auc:.3f}" if found.auc else ""
    if precision is Precision.FP32:
        return area, "", "", ""
    auc = found.auc
    change = f"{auc.change:+.4f} ({auc.low:+.4f} to {auc.high:+.4f})" if auc else ""
    heat = f"{found.heat_correlation:.4f}, {found.lowest_heat_correlation:.4f}"
    return area, change, f"{found.score_change:.2f}", heat


def _times(onnx: bytes, films: ExportFilms, how: Preprocessing, seconds: float) -> Iterator[str]:
    """Processor milliseconds a film on one thread, in batches of TIMED_BATCH."""
    batch = normalise(np.resize(films.judged, (TIMED_BATCH, *how.input_hw)), how)
    for opener in (OnnxRuntimeCpu, partial(OpenVinoCpu, batch_size=TIMED_BATCH)):
        engine = opener(onnx, threads=1)
        taken = median_seconds(partial(engine.run, batch), seconds, clock=time.process_time)
        yield f"{1000 * taken / TIMED_BATCH:.1f}"
        engine.close()


if __name__ == "__main__":
    main()
