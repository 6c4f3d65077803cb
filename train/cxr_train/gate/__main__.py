"""`python -m cxr_train.gate DATA --out DIR`: makes gate.onnx and its confusion table."""

import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import cv2
import torch

from cxr_runtime.program import run_program
from cxr_train.gate.making import Making, make_gate
from cxr_train.gate.training import SCHEDULE


class LinesOnStandardError:
    """How the training gets on, one line at a time."""

    def begin(self, work: str, pieces: int | None) -> None:
        """Name the work."""
        self.say(f"{work}: {pieces} steps")

    def advance(self) -> None:
        """Steps are too many to be told."""

    def say(self, line: str) -> None:
        """Write the line."""
        sys.stderr.write(f"{line}\n")

    def end(self) -> None:
        """Nothing is left open."""


def main() -> None:
    """Read the command line and do it."""
    parser = ArgumentParser(prog="python -m cxr_train.gate", description="Make and measure the gate network.")
    parser.add_argument("data", type=Path, help="folder with the tables and films described in docs/gate.md")
    parser.add_argument("--out", type=Path, required=True, help="folder for what is made")
    parser.add_argument("--folds", type=int, default=3, help="folds by patient; 0 measures nothing")
    parser.add_argument("--steps", type=int, default=SCHEDULE.steps, help="batches the network learns from")
    stated = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    making = Making(stated.data, stated.out, stated.folds, replace(SCHEDULE, steps=stated.steps))
    sys.stdout.write(make_gate(making, LinesOnStandardError()))


if __name__ == "__main__":
    run_program(main)
