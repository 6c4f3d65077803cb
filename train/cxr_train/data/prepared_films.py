"""Films as a network is shown them, and the boxes around their lungs, kept in a cache."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.atomic import replacing, write_bytes
from cxr_runtime.errors import FilmError, UsageError
from cxr_runtime.film import GreyPixels
from cxr_runtime.folders import cache_root
from cxr_runtime.lungs import LungMask, lung_field
from cxr_runtime.lungs.field import LUNG_FIELD_FILE
from cxr_runtime.model.preprocessing import InputPixels, Preprocessing, place, prepare
from cxr_runtime.placement import Box, Placement
from cxr_runtime.progress import Progress, Silence
from cxr_runtime.reading import read_film
from cxr_runtime.typed_json import from_json, to_json
from cxr_train.data.film import DrawnBox, TrainingFilm
from cxr_train.data.split import Rows

CACHE = cache_root() / "films"


@dataclass(frozen=True)
class PreparedFilms:
    """A film table's pictures, in its order."""

    inputs: NDArray[np.uint8] = field(repr=False)  # (N, H, W), before normalisation; read from disk as needed
    placements: tuple[Placement, ...] = field(repr=False)  # where each input lies on its film
    sha256s: tuple[str, ...] = field(repr=False)  # of each film's file
    folder: Path = CACHE  # the cache they come from

    def region(self, row: int, boxes: Sequence[DrawnBox]) -> InputPixels:
        """Boxes drawn on one film, as they lie on its input: (H, W) uint8, 255 inside and 0 outside."""
        placement = self.placements[row]
        x0, y0, x1, y1 = placement.box_film_xyxy
        rows, columns = placement.film_hw
        height, width = placement.input_hw
        drawn = np.zeros((height, width), np.uint8)
        for box in boxes:
            left, top, right, bottom = box.share_xyxy
            xs = [round((share * columns - x0) / (x1 - x0) * width) for share in (left, right)]
            ys = [round((share * rows - y0) / (y1 - y0) * height) for share in (top, bottom)]
            drawn[max(0, ys[0]) : max(0, ys[1]), max(0, xs[0]) : max(0, xs[1])] = 255
        return drawn


@dataclass(frozen=True)
class _Facts:
    """What stands beside the pictures of a film table, in its order."""

    placements: tuple[tuple[int, int, float, float, float, float], ...]  # film_hw and box_film_xyxy
    sha256s: tuple[str, ...]


def films_digest(sha256s: Sequence[str]) -> str:
    """One digest of a set of films: the sha256 of their sorted sha256s, each on a line."""
    return sha256("".join(f"{digest}\n" for digest in sorted(sha256s)).encode()).hexdigest()


def prepare_films(
    films: Sequence[TrainingFilm],
    how: Preprocessing,
    cache: Path = CACHE,
    workers: int = 1,
    progress: Progress | None = None,
) -> PreparedFilms:
    """Decode and prepare films, or find them prepared.

    Args:
        films: the film table.
        how: the network's preprocessing.
        cache: folder of prepared films; safe to delete.
        workers: threads that decode.
        progress: hears of every film that is prepared.

    Raises:
        UsageError: a film cannot be read; it is named.
    """
    key = _key(films, how)
    pictures, facts = cache / f"{key}.npy", cache / f"{key}.json"
    if not (pictures.is_file() and facts.is_file()):
        cache.mkdir(parents=True, exist_ok=True)
        _prepare_all(films, how, pictures, facts, workers, progress or Silence())
    stated = from_json(facts.read_bytes(), _Facts)
    placements = tuple(
        Placement((rows, columns), (x0, y0, x1, y1), how.input_hw)
        for rows, columns, x0, y0, x1, y1 in stated.placements
    )
    return PreparedFilms(np.load(pictures, mmap_mode="r"), placements, stated.sha256s, cache)


def _key(films: Sequence[TrainingFilm], how: Preprocessing) -> str:
    files = [(str(film.path.resolve()), film.path.stat()) for film in films]
    stated = [[path, stat.st_size, stat.st_mtime_ns] for path, stat in files]
    return sha256(json.dumps([stated, asdict(how)]).encode()).hexdigest()[:32]


def _prepare_all(
    films: Sequence[TrainingFilm],
    how: Preprocessing,
    pictures: Path,
    facts: Path,
    workers: int,
    progress: Progress,
) -> None:
    """Fill the cache; the facts are written last, so that half a cache is never taken for a whole one."""
    placements, sha256s = [], []
    with replacing(pictures) as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (len(films), *how.input_hw)}
        )
        progress.begin("preparing films", len(films))
        for picture, placement, digest in _each(films, how, workers):
            file.write(picture.tobytes())
            placements.append((*placement.film_hw, *placement.box_film_xyxy))
            sha256s.append(digest)
            progress.advance()
        progress.end()
    with replacing(facts) as file:
        file.write(to_json(_Facts(tuple(placements), tuple(sha256s))).encode())


def _each(
    films: Sequence[TrainingFilm], how: Preprocessing, workers: int
) -> Iterator[tuple[InputPixels, Placement, str]]:
    find_lungs = _lung_finder(how)

    def one(film: TrainingFilm) -> tuple[InputPixels, Placement, str]:
        content = film.path.read_bytes()
        try:
            decoded = read_film(content)
        except FilmError as error:
            raise UsageError(
                f"film {film.path} cannot be used: {error}; take it out of the data set"
            ) from error
        lungs = find_lungs(decoded.pixels)
        placement = place(decoded.hw, None if lungs is None else lungs.box_film_xyxy, how)
        return prepare(decoded.pixels, placement, how, lungs), placement, sha256(content).hexdigest()

    cv2.setNumThreads(1)
    with ThreadPoolExecutor(workers) as threads:
        yield from threads.map(one, films)


def _lung_finder(how: Preprocessing) -> Callable[[GreyPixels], LungMask | None]:
    """How the lungs are found: as the clinic does it, and only where the network needs it."""
    return (lambda _: None) if how.crop == "film" else lung_field().find


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
    known = _read(path)
    missing = [row for row in rows.tolist() if prepared.sha256s[row] not in known]
    known |= {prepared.sha256s[row]: _find(films[row].path) for row in missing}
    if missing:
        write_bytes(path, to_json(_read(path) | known).encode())
    return [known[prepared.sha256s[row]] for row in rows.tolist()]


def _read(path: Path) -> dict[str, Box | None]:
    return from_json(path.read_bytes(), dict[str, Box | None]) if path.is_file() else {}


def _find(path: Path) -> Box | None:
    return lung_field().find(read_film(path.read_bytes()).pixels).box_film_xyxy
