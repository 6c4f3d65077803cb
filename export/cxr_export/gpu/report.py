"""The measurements of a GPU as markdown: docs/gpu-results.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import torch

from cxr_export.gpu.agreement import Agreement
from cxr_export.gpu.contenders import COMPILED, EAGER, TENSORRT
from cxr_export.gpu.floor import Rates, Work, least_seconds
from cxr_export.gpu.race import Lap
from cxr_runtime.benchmark.measure import describe_machine
from cxr_runtime.markdown import markdown_table

AIMS = {EAGER: 4.0, COMPILED: 1.3}  # how many times as fast TensorRT FP16 should be
AIM_NETWORK, AIM_BATCH = "custom", 64
HEAD = ("network", "contender", "batch", "films/s", "of the floor", "logits differ", "conv5 differs")


@dataclass(frozen=True)
class Results:
    """Everything that was measured."""

    laps: tuple[Lap, ...]
    works: Mapping[str, Work]  # by network
    rates: Rates
    agreement: Agreement | str  # of the default model; or why there is none


def as_markdown(results: Results) -> str:
    """The whole page."""
    rates = results.rates
    blocks = [
        "# Measured on a GPU",
        f"{datetime.now(UTC):%d %B %Y}. {describe_machine()}; torch {torch.__version__}.",
        "By `cxr-triage lab gpu`: from float32 films in the host's memory to both outputs there, "
        "by PyTorch as `to` and `cpu` copy; medians.",
        f"The floor: {rates.flops / 1e12:.0f} TFLOP/s in a large FP16 product, "
        f"{rates.memory_bytes / 1e9:.0f} GB/s within the device, {rates.bus_bytes / 1e9:.1f} GB/s to it, "
        "perfectly overlapped.",
        markdown_table(
            HEAD, [_row(lap, results) for lap in results.laps if lap.films_per_second is not None]
        ),
        *_notes(results.laps),
        *_aims(results.laps),
        _told(results.agreement),
    ]
    return "\n\n".join(blocks) + "\n"


def _row(lap: Lap, results: Results) -> tuple[str, ...]:
    rate = lap.films_per_second or 0.0
    floor = lap.batch / least_seconds(results.works[lap.network], results.rates, lap.batch)
    return (
        lap.network, lap.contender, str(lap.batch), f"{rate:.0f}", f"{rate / floor:.0%}",
        f"{lap.logits_difference:.1e}", f"{lap.conv5_difference:.1e}",
    )  # fmt: skip


def _notes(laps: Sequence[Lap]) -> list[str]:
    skipped = {f"{lap.contender}, {lap.network}: {lap.reason}": None for lap in laps if lap.reason}
    return [f"Not measured: {note}." for note in skipped]


def _aims(laps: Sequence[Lap]) -> list[str]:
    """How TensorRT does against what was aimed at; nothing where it was not measured."""
    rates = {
        lap.contender: lap.films_per_second
        for lap in laps
        if (lap.network, lap.batch) == (AIM_NETWORK, AIM_BATCH)
    }
    ours = rates.get(TENSORRT)
    return [
        f"{AIM_NETWORK} at batch {AIM_BATCH}: {ours / theirs:.1f} times {name}, aim {aim:g}: "
        f"{'met' if ours >= aim * theirs else 'not met'}."
        for name, aim in AIMS.items()
        if ours is not None and (theirs := rates.get(name)) is not None
    ]


def _told(found: Agreement | str) -> str:
    if isinstance(found, str):
        return f"The default model by TensorRT was not compared with the processor: {found}."
    auc = found.auc.difference
    return (
        f"The default model by TensorRT FP16 against the processor's float32 on {found.films} films: "
        f"scores differ by at most {found.score_change:.2f} of 100 (aim 0.5), "
        f"triage on {found.triage_changes} (aim 0), "
        f"AUC by {auc.value:+.4f} ({auc.low:+.4f} to {auc.high:+.4f})."
    )
