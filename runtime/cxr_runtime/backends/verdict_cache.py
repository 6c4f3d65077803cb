"""Verdicts of self-tests, kept for as long as nothing changes that could change them."""

import json
import platform
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cxr_runtime.atomic import write_bytes
from cxr_runtime.backends.nvidia.driver import find_gpus
from cxr_runtime.backends.self_test import Verdict
from cxr_runtime.errors import BackendError
from cxr_runtime.folders import cache_folder
from cxr_runtime.model.folder import Model

_PACKAGES = (
    "cxr-triage", "numpy", "onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt", "pycuda",
    "cuda-bindings",
)  # fmt: skip


class VerdictCache:
    """The verdicts on one model on this machine; silently without a memory where there is no cache."""

    def __init__(self, model: Model, batch_size: int, threads: int | None) -> None:
        self._key = [model.manifest.model_sha256, asdict(model.calibration), batch_size, threads, _machine()]
        try:
            self._folder: Path | None = cache_folder("verdicts")
        except BackendError:
            self._folder = None

    def find(self, name: str) -> Verdict | None:
        """The kept verdict on a backend, by its name on the command line."""
        if self._folder is None:
            return None
        try:
            return Verdict(**json.loads(self._path(name).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, name: str, verdict: Verdict) -> None:
        """Remember a verdict that rests on numbers; what broke down may work the next time."""
        if self._folder is None or verdict.milliseconds is None:
            return
        try:
            write_bytes(self._path(name), json.dumps(asdict(verdict)).encode())
        except OSError:
            self._folder = None

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        digest = sha256(json.dumps([name, *self._key], sort_keys=True).encode()).hexdigest()
        return self._folder / f"{digest[:32]}.json"


def _machine() -> list[str]:
    """Everything about this machine that a verdict rests on."""
    return [platform.node(), platform.platform(), platform.processor(), *map(_version, _PACKAGES), *_gpus()]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _gpus() -> list[str]:
    try:
        return [f"{gpu.name} {gpu.driver} {gpu.cuda}" for gpu in find_gpus()]
    except BackendError:
        return []
