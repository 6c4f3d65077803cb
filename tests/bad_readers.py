"""Readers that do what no reader may, for tests of the fuzzer; its processes import them."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np


def crash(content: bytes, _: Path) -> None:
    """End the process as a decoder that writes beyond its memory does."""
    if content[0] == ord("!"):
        os.abort()
    raise ValueError("the file is damaged")


def hang(content: bytes, _: Path) -> None:
    """Come to no end."""
    while content[0] == ord("!"):
        time.sleep(60)
    raise ValueError("the file is damaged")


def grow(content: bytes, _: Path) -> None:
    """Take more memory than there may be, and call it damage."""
    try:
        np.ones((1 << 40) * (content[0] == ord("!")))
    except MemoryError as error:
        raise ValueError("the file is damaged") from error
    raise ValueError("the file is damaged")


def blunder(content: bytes, _: Path) -> None:
    """Raise what is not documented."""
    if content[0] == ord("!"):
        raise KeyError("Rows")
    raise ValueError("the file is damaged")


def seeds() -> tuple[bytes, ...]:
    """Two inputs."""
    return b"?", b"!"


def alternately(seeds: Sequence[bytes], random: Random) -> bytes:
    """One of them."""
    return random.choice(seeds)
