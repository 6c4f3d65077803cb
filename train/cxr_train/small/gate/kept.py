"""The gate's pictures as they were read, kept in a file, since reading them takes minutes."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np

from cxr_runtime.atomic import replacing
from cxr_runtime.gate.network import PictureKind
from cxr_runtime.lungs.field import LUNG_FIELD_FILE
from cxr_train.small.gate.libraries import library_files
from cxr_train.small.gate.locked import part_of
from cxr_train.small.gate.pictures import Picture, read_pictures

NAME = "pictures-{}.npz"


def kept_pictures(
    data: Path, folder: Path, read: Callable[[Path], list[Picture]] = read_pictures
) -> list[Picture]:
    """Read every picture, or take them from a file in `folder` where no file of them has changed since.

    Args:
        data: folder with the tables and films described in docs/gate.md.
        folder: where they are kept, 100 kB a picture.
        read: reads all pictures of `data`.

    Raises:
        CxrTriageError: a table cannot be read, or scikit-image or scikit-learn is not installed.
    """
    path = folder / NAME.format(_state(data))
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _keep(read(data), path)
    return _taken(path)


def _state(data: Path) -> str:
    """16 hex digits that change with the files' names, sizes and times, and with the lung field."""
    files = [*sorted(file for file in data.rglob("*") if file.is_file()), *library_files()]
    stats = ((file, file.stat()) for file in files)
    lines = [f"{file} {stat.st_size} {stat.st_mtime_ns}" for file, stat in stats]
    field = sha256(LUNG_FIELD_FILE.read_bytes()).hexdigest()
    return sha256("\n".join([field, *lines]).encode()).hexdigest()[:16]


def _keep(pictures: list[Picture], path: Path) -> None:
    facts = [(p.name, p.collection, p.group, int(p.kind), str(p.path or ""), p.view) for p in pictures]
    pixels = np.stack([picture.pixels for picture in pictures])
    lungs = np.stack([picture.lungs for picture in pictures if picture.lungs is not None])
    has_lungs = np.array([picture.lungs is not None for picture in pictures])
    with replacing(path) as file:
        np.savez(file, facts=np.array(json.dumps(facts)), pixels=pixels, lungs=lungs, has=has_lungs)


def _taken(path: Path) -> list[Picture]:
    with np.load(path) as found:
        facts, pixels, lungs = json.loads(str(found["facts"])), found["pixels"], iter(found["lungs"])
        has_lungs = found["has"].tolist()
    return [
        Picture(
            name, collection, group, PictureKind(kind), shown, next(lungs) if has else None,
            Path(file) if file else None, view, part_of(group),
        )
        for (name, collection, group, kind, file, view), shown, has in zip(
            facts, pixels, has_lungs, strict=True
        )
    ]  # fmt: skip
