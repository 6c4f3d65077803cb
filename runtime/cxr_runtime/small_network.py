"""Small networks of our own, run on one core inside the scan's worker processes."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import ModelError
from cxr_runtime.memory import lacks_memory
from cxr_runtime.offline import load

Session = object


@dataclass(frozen=True)
class SmallNetwork:
    """An ONNX file with one input and one output; opened at its first use, once a process."""

    path: Path  # its input has a leading batch axis of 1

    def run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the network its one input, take its one output (float32, any shape).

        Raises:
            ModelError: the file is missing or damaged; no film is to blame, so the scan must stop.
            MemoryError: memory ran out.
        """
        session = _open(self.path, os.getpid())
        name = session.get_inputs()[0].name  # type: ignore[attr-defined]
        try:
            return np.asarray(session.run(None, {name: inputs})[0], np.float32)  # type: ignore[attr-defined]
        except Exception as error:
            if lacks_memory(error):
                raise MemoryError from error
            raise


@lru_cache(maxsize=8)
def _open(path: Path, process: int) -> Session:  # noqa: ARG001 (a forked process must not use its parent's)
    onnxruntime = load("onnxruntime")

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own errors have no common root
        if lacks_memory(error):
            raise MemoryError from error
        raise ModelError(
            f"{path}, a part of the program, is missing or damaged; install cxr-triage anew"
        ) from error
