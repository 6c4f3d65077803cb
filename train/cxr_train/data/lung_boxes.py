"""The box around the lungs of training films, found as a scan finds it and kept beside the prepared films."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cxr_runtime.atomic import write_bytes
from cxr_runtime.lungs import lung_field
from cxr_runtime.lungs.field import LUNG_FIELD_FILE
from cxr_runtime.placement import Box
from cxr_runtime.reading import read_film
from cxr_train.data.film import TrainingFilm
from cxr_train.data.prepared_films import PreparedFilms
from cxr_train.data.split import Rows


def lung_boxes(films: Sequence[TrainingFilm], prepared: PreparedFilms, rows: Rows) -> list[Box | None]:
    """Find the lungs of some films, or find them found.

    Args:
        films: the film table.
        prepared: its pictures; the boxes are kept in the same cache.
        rows: films wanted.

    Returns:
        For each row the box around both lungs in film pixels, x0, y0, x1, y1; None where none are found.
    """
    path = prepared.folder / f"lungs-{sha256(LUNG_FIELD_FILE.read_bytes()).hexdigest()[:32]}.json"
    known: dict[str, list[float] | None] = _read(path)
    missing = [row for row in rows.tolist() if prepared.sha256s[row] not in known]
    known |= {prepared.sha256s[row]: _find(films[row].path) for row in missing}
    if missing:
        write_bytes(path, json.dumps(_read(path) | known).encode())
    return [_box(known[prepared.sha256s[row]]) for row in rows.tolist()]


def _read(path: Path) -> dict[str, list[float] | None]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _find(path: Path) -> list[float] | None:
    box = lung_field().find(read_film(path.read_bytes()).pixels).box_film_xyxy
    return None if box is None else list(box)


def _box(stated: list[float] | None) -> Box | None:
    if stated is None:
        return None
    x0, y0, x1, y1 = stated
    return x0, y0, x1, y1
