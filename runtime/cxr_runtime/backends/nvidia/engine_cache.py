"""Compiled engines of this machine: found by all that can invalidate them, never trusted from elsewhere.

An engine file is a line of JSON (its key), a line with a seal, and the engine. The seal is a keyed digest
over the other two; its secret is drawn once a cache and stays there: a file from elsewhere is not opened.
"""

import hmac
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cxr_runtime.atomic import write_bytes
from cxr_runtime.folders import cache_folder, secret_in

SUFFIX = ".engine"


@dataclass(frozen=True)
class EngineKey:
    """Everything that decides whether an engine may be used."""

    model_sha256: str  # of model.onnx
    network_sha256: str  # of the typed network that was compiled
    compiler: str  # e.g. tensorrt 10.16.0
    gpu: str
    compute_capability: str
    driver: str
    cuda: str
    system: str  # operating system and processor
    options: dict[str, Any] = field(default_factory=dict)  # what it was built for

    @property
    def name(self) -> str:
        """Name of its file, without suffix."""
        return sha256(self.line()).hexdigest()[:32]

    def line(self) -> bytes:
        """The key as one line."""
        return json.dumps(asdict(self), sort_keys=True).encode()


class EngineCache:
    """The engines in one folder."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open the cache of this machine, or a folder.

        Raises:
            BackendError: the cache cannot be written, or others can.
        """
        self.folder = cache_folder("engines") if folder is None else folder

    def find(self, key: EngineKey) -> bytes | None:
        """The engine of exactly this key; None where there is none, or it is damaged, stale or foreign."""
        try:
            content = self._path(key).read_bytes()
            line, seal, plan = content.split(b"\n", 2)
        except (OSError, ValueError):
            return None
        is_ours = hmac.compare_digest(seal, self._seal(line, plan)) and line == key.line()
        return plan if is_ours else None

    def find_similar(self, key: EngineKey) -> tuple[EngineKey, bytes] | None:
        """The newest engine of this network on this machine, whatever batches and memory it was built for."""
        for other in self._stated_keys():
            if replace(other, options=key.options) == key and (plan := self.find(other)) is not None:
                return other, plan
        return None

    def keep(self, key: EngineKey, plan: bytes) -> Path:
        """Put an engine into the cache, wholly or not at all.

        Raises:
            OSError: the disk is full.
        """
        line, path = key.line(), self._path(key)
        write_bytes(path, b"\n".join((line, self._seal(line, plan), plan)))
        return path

    def keep_log(self, key: EngineKey, log: str) -> None:
        """Put a builder's log where its engine is, or would have been."""
        write_bytes(self.log_path(key), log.encode())

    def log_path(self, key: EngineKey) -> Path:
        """Where the log of an engine's builder lies."""
        return self._path(key).with_suffix(".log")

    def find_timings(self, key: EngineKey) -> bytes:
        """Kernel timings of earlier builds with this compiler on this GPU; b"" where there are none."""
        try:
            return self._timings(key).read_bytes()
        except OSError:
            return b""

    def keep_timings(self, key: EngineKey, timings: bytes) -> None:
        """Keep kernel timings for the next build."""
        write_bytes(self._timings(key), timings)

    def keys(self) -> list[EngineKey]:
        """Keys of all engines that are whole and ours."""
        return [key for key in self._stated_keys() if self.find(key) is not None]

    def _stated_keys(self) -> Iterator[EngineKey]:
        """Keys that engine files state, true or not, the newest file first."""
        paths = sorted(self.folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in paths:
            try:
                with path.open("rb") as file:
                    yield EngineKey(**json.loads(file.readline()))
            except (OSError, ValueError, TypeError):
                continue

    def _path(self, key: EngineKey) -> Path:
        return self.folder / f"{key.name}{SUFFIX}"

    def _timings(self, key: EngineKey) -> Path:
        where = (key.compiler, key.gpu, key.compute_capability, key.driver, key.cuda, key.system)
        return self.folder / f"{sha256(json.dumps(where).encode()).hexdigest()[:32]}.timings"

    def _seal(self, line: bytes, plan: bytes) -> bytes:
        digest = hmac.new(secret_in(self.folder), line, sha256)
        digest.update(plan)
        return digest.hexdigest().encode()
