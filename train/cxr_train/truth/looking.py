"""What a model folder says of films of data sets: as a scan does, but that the gate is not asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.labels.film_csv import csv_bytes
from cxr_runtime.backends import open_engine
from cxr_runtime.film import at_reading_size
from cxr_runtime.heat.map import HeatMethod, heat_cells
from cxr_runtime.logits import margins
from cxr_runtime.lungs import lung_field
from cxr_runtime.model.folder import Model, open_model
from cxr_runtime.model.looks import looks_of
from cxr_runtime.model.preprocessing import InputPixels, normalise
from cxr_runtime.progress import Progress
from cxr_runtime.reading import read_film
from cxr_train.data import TrainingFilm
from cxr_train.data.fifths import Fifth
from cxr_train.data.film import Truth
from cxr_train.data.prepared_films import CACHE, PreparedFilms, lung_boxes, prepare_films
from cxr_train.evaluation.scoring import COLUMNS, film_facts
from cxr_train.heat.localisation import GRID, Heat
from cxr_train.truth.unseen import unseen_films

FILMS_AT_ONCE = 8


@dataclass(frozen=True)
class Look:
    """N films, and what a model says of them."""

    films: tuple[TrainingFilm, ...] = field(repr=False)
    margins: NDArray[np.float64] = field(repr=False)  # (N,) logit of abnormal minus logit of normal
    shown: NDArray[np.float64] = field(repr=False)  # (N, 2) mean and deviation of the input, 0..1
    heats: dict[int, Heat] = field(repr=False)  # by number of the film, of those with a radiologist's box

    def part(self, rows: Sequence[int]) -> "Look":
        """Some of the films."""
        heats = {place: self.heats[row] for place, row in enumerate(rows) if row in self.heats}
        chosen = np.array(rows, np.intp)
        films = tuple(self.films[row] for row in rows)
        return Look(films, self.margins[chosen], self.shown[chosen], heats)

    @classmethod
    def together(cls, looks: Sequence["Look"]) -> "Look":
        """The films of several tables, one table after the other."""
        starts = np.cumsum([0, *(len(each.films) for each in looks)]).tolist()
        return cls(
            tuple(film for each in looks for film in each.films),
            np.concatenate([each.margins for each in looks]),
            np.concatenate([each.shown for each in looks]),
            {
                start + row: heat
                for start, each in zip(starts, looks, strict=False)
                for row, heat in each.heats.items()
            },
        )


def look(
    model: Model, films: Sequence[TrainingFilm], cache: Path = CACHE, progress: Progress | None = None
) -> Look:
    """Score films, and lay the heat over those on which radiologists drew boxes.

    Args:
        model: calibrated or not.
        films: any; none is left out because the model knows it.
        cache: folder of prepared films.
        progress: hears of every film that is prepared.

    Raises:
        UsageError: a film cannot be read.
        BackendError: the network cannot be run.
    """
    how = model.manifest.preprocessing
    prepared = prepare_films(films, how, cache, progress=progress)
    engine = open_engine(model, "onnxruntime", batch_size=FILMS_AT_ONCE, threads=1)
    said, heats = [np.zeros(0)], {}
    for start in range(0, len(films), FILMS_AT_ONCE):
        inputs = np.asarray(prepared.inputs[start : start + FILMS_AT_ONCE])
        outputs = engine.run(normalise(inputs, how))
        said.append(margins(outputs.logits).astype(np.float64))
        for place, conv5 in enumerate(outputs.conv5, start=start):
            if any(box.by_radiologist for box in films[place].boxes):
                heats[place] = _heat(model, films, prepared, place, conv5)
    engine.close()
    shares = [np.asarray(picture) / 255 for picture in prepared.inputs]
    shown = np.array([(share.mean(), share.std()) for share in shares]).reshape(-1, 2)
    return Look(tuple(films), np.concatenate(said), shown, heats)


def _heat(
    model: Model, films: Sequence[TrainingFilm], prepared: PreparedFilms, row: int, conv5: NDArray[np.float32]
) -> Heat:
    """Heat over a whole film, before it is brought into the colour range."""
    recipe, placement = model.manifest.heat, prepared.placements[row]
    (lungs,) = lung_boxes(films, prepared, np.array([row]))
    cells = heat_cells(conv5, recipe, HeatMethod.CAM, placement, lungs)
    return placement.heat_on_film(cells, recipe.cells, (GRID, GRID))


def shipped_margins_csv(
    model: Path,
    data: Sequence[Path],
    fifths: Sequence[Fifth],
    learned: Sequence[Path] = (),
    cache: Path = CACHE,
) -> bytes:
    """The labels file of films that a model folder has not seen; see `evaluation.scoring.margins_csv`.

    Args:
        model: a model folder.
        data: data sets; labels mined from reports are left out.
        fifths: whose films, see data/fifths.py.
        learned: data sets of which the model has learned every film.
        cache: folder of prepared films.

    Raises:
        UsageError: a data set or a film cannot be read.
        ModelError: the model is damaged.
    """
    films = [film for film in unseen_films(data, fifths, learned) if film.truth is not Truth.REPORT]
    opened = open_model(model, allow_uncalibrated=True)
    looked = look(opened, films, cache)
    inputs = np.asarray(prepare_films(films, opened.manifest.preprocessing, cache).inputs)
    lines = [
        (*film_facts(film), f"{margin:.6f}", *(f"{share:.6f}" for share in shown), _looks(film, picture))
        for film, margin, shown, picture in zip(
            looked.films, looked.margins, looked.shown, inputs, strict=True
        )
    ]
    return csv_bytes([(*COLUMNS, "looks"), *lines])


def _looks(film: TrainingFilm, picture: InputPixels) -> str:
    """How a film looks, as a scan measures it; numbers with | between them."""
    pixels = read_film(film.path.read_bytes()).pixels
    return "|".join(map(str, looks_of(at_reading_size(pixels), lung_field().find(pixels), picture)))
