"""The table of precisions in docs/backends.md: what each costs, and how fast it is."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cxr_export.precision.acceptance import Acceptance, excessive_costs
from cxr_export.precision.lower import Precision
from cxr_export.precision.measures import Measured, Subject, measure_precisions, open_subject
from cxr_runtime.markdown import markdown_table

HEAD = (
    "network", "started from", "precision", "MB", "against PyTorch: logits, conv5", "change of AUC (95 %)",
    "largest change of score", "heat maps: median r, lowest", "accepted", "ONNX Runtime", "OpenVINO",
)  # fmt: skip


def precision_lines(
    networks: Sequence[str], data: Sequence[Path] = (), seconds: float = 2.0
) -> Iterator[str]:
    """The table as markdown, each row as soon as it is measured, and then what it was measured on.

    Args:
        networks: a training run each; or a folder of folds, each judged on films of patients that it does not
            know; or the name of a network, which is then measured with fresh weights.
        data: data sets of the films.
        seconds: wall time of each timing.

    Raises:
        UsageError: a network or a data set cannot be used.
    """
    notes = []
    yield markdown_table(HEAD, [])
    for network in networks:
        subject = open_subject(network)
        for measured in measure_precisions(subject, data, seconds):
            yield markdown_table(HEAD, [row(subject, measured)]).splitlines()[-1]
            notes += note(subject, measured)
    yield "\n" + "\n".join(notes)


def row(subject: Subject, measured: Measured) -> tuple[str, ...]:
    """One line of the table."""
    is_whole = measured.precision == Precision.FP32
    parity = f"{measured.parity.logits:.0e}, {measured.parity.conv5:.0e}" if is_whole else ""
    costs = ("",) * 4 if is_whole else _costs(measured.precision, measured.acceptance)
    megabytes = "" if measured.megabytes is None else f"{measured.megabytes:.1f}"
    onnxruntime = "" if measured.onnxruntime_ms is None else f"{measured.onnxruntime_ms:.1f}"
    return (subject.name, subject.started_from, measured.precision, megabytes, parity, *costs, onnxruntime,
            f"{measured.openvino_ms:.1f}")  # fmt: skip


def note(subject: Subject, measured: Measured) -> list[str]:
    """What a row rests on, a sentence each."""
    found = measured.acceptance
    if measured.precision == Precision.FP32:
        area = "" if found.auc is None else f", AUC {found.auc.first.value:.3f} in float32"
        return [f"{subject.name}: {found.films} films of {found.source} judge{area}."]
    if not measured.chosen:
        return []
    percentiles = ", ".join(f"{value:g}" for value in measured.chosen)
    return [f"{subject.name}: INT8's scales cover {percentiles} % of activations, chosen on other films."]


def _costs(precision: str, found: Acceptance) -> tuple[str, ...]:
    auc = found.auc and found.auc.difference
    change = f"{auc.value:+.4f} ({auc.low:+.4f} to {auc.high:+.4f})" if auc else ""
    heat = f"{found.heat_correlation:.4f}, {found.lowest_heat_correlation:.4f}"
    return change, f"{found.score_change:.2f}", heat, "no" if excessive_costs(precision, found) else "yes"
