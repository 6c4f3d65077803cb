"""A run's log: one row an epoch as CSV, as curves, and in TensorBoard where it is installed."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cxr_runtime.atomic import write_bytes
from cxr_train.checkpoint import CURVES_FILE, LOG_FILE

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

NAMES = {"loss": "training loss", "auc": "AUC"}  # of curves that are not called as their columns

Entry = Mapping[str, float]  # one epoch: its number, seconds, learning rate, losses, validation figures


class Journal:
    """Writes the log of one run.

    Args:
        run: the run folder.
        entries: the epochs before the one that it goes on from.
    """

    def __init__(self, run: Path, entries: list[Entry]) -> None:
        self.run, self.entries = run, list(entries)
        self._board = _tensor_board(run)

    def add(self, entry: Entry) -> None:
        """Log an epoch."""
        self.entries.append(entry)
        write_bytes(self.run / LOG_FILE, _as_csv(self.entries).encode())
        if self._board is not None:
            for name, value in entry.items():
                self._board.add_scalar(name, value, int(entry["epoch"]))

    def close(self, best: Entry | None = None) -> None:
        """Draw the curves of the epochs there are, and let TensorBoard finish its file.

        Args:
            best: the epoch that is kept, if one is.
        """
        if self.entries:
            write_bytes(self.run / CURVES_FILE, _curves(self.entries, best))
        if self._board is not None:
            self._board.close()


def read_log(run: Path) -> list[Entry]:
    """A run's log.csv; empty where no epoch is over yet."""
    path = run / LOG_FILE
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(lines)]


def _as_csv(entries: list[Entry]) -> str:
    text = io.StringIO()
    rows = csv.DictWriter(text, list(entries[0]), lineterminator="\n")
    rows.writeheader()
    rows.writerows(entries)
    return text.getvalue()


def _curves(entries: list[Entry], best: Entry | None) -> bytes:
    """Losses on the left, what validation measures on the right, the kept epoch marked on both; PNG."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [entry["epoch"] for entry in entries]
    titles = (("loss", ("loss", "validation_loss")), ("validation", ("auc", "accuracy")))
    for axes, (title, names) in zip((left, right), titles, strict=True):
        for name in names:
            values = [entry[name] for entry in entries]
            axes.plot(epochs, values, marker=".", label=NAMES.get(name, name.replace("_", " ")))
        if best is not None:
            axes.axvline(
                best["epoch"], color="black", linestyle="dotted", label=f"kept: epoch {best['epoch']:g}"
            )
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    right.set_ylim(0, 1.03)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    return picture.getvalue()


def _tensor_board(run: Path) -> "SummaryWriter | None":
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(run))
