"""Networks explained on films they have not seen: the whole of `cxr-triage explain`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.film import shrink
from cxr_runtime.heat.map import HeatMethod, in_colour_range
from cxr_runtime.markdown import markdown_table
from cxr_runtime.progress import Progress, Silence
from cxr_runtime.reading import read_film
from cxr_train.checkpoint import model_names
from cxr_train.data import TrainingFilm
from cxr_train.data.fifths import Fifth
from cxr_train.data.prepared_films import CACHE
from cxr_train.evaluation.results import write_measured
from cxr_train.evaluation.tables import told
from cxr_train.explain.attribution import AS_SHIPPED, METHODS, PRIOR_ALONE
from cxr_train.explain.figures import THRESHOLD, draw_channels, draw_filters, draw_heat
from cxr_train.explain.looker import ExplainedModel, explained_model, open_lookers, unseen_films
from cxr_train.explain.maximisation import Maximisation
from cxr_train.heat.localisation import (
    GRID,
    Heat,
    Localisation,
    box_mask,
    centre_blob,
    chance,
    localise,
)

PREVIEW = 384  # longer side of a film in a figure, pixels


@dataclass(frozen=True)
class Located:
    """One line of the localisation table."""

    model: str  # a run, a cross-validation, or none
    starting_weights: str  # what it was trained from
    method: str
    measured: Localisation


def explain(
    models: Sequence[Path],
    data: Sequence[Path],
    out: Path,
    *,
    films_shown: int = 4,
    filters: int = 3,
    methods: Sequence[str] = tuple(METHODS),
    fifths: Sequence[Fifth] = (Fifth.TRAINING,),
    maximisation: Maximisation | None = None,
    cache: Path = CACHE,
    progress: Progress | None = None,
) -> list[Located]:
    """Draw filters.png, channels-MODEL.png and heat-METHOD.png, and measure localisation.md and .json.

    The location prior alone is drawn where a model has one.

    Args:
        models: finished runs, or folders of the folds of a cross-validation.
        data: data sets; only films that at least one fold of every model has not seen are used.
        out: folder of the results, which hold pictures of the films given.
        films_shown: films in the figures.
        filters: filters drawn of each layer; 0: no figure 2, which takes minutes without a GPU.
        methods: names in METHODS.
        fifths: of the patients of public collections, see data/fifths.py.
        maximisation: how filters are drawn.
        cache: folder of prepared films.
        progress: hears how it gets on.

    Returns:
        The localisation table; empty where no film has boxes drawn by radiologists.

    Raises:
        UsageError: there is no such method, or no film is left.
        ModelError: a run cannot be used.
    """
    unknown = [name for name in methods if name not in METHODS]
    if unknown:
        raise UsageError(f"there is no method {unknown[0]!r}; expected some of: {', '.join(METHODS)}")
    progress = progress or Silence()
    lookers = {name: open_lookers(model) for name, model in zip(model_names(models), models, strict=True)}
    films = unseen_films(lookers.values(), data, fifths)
    explained = [explained_model(name, folds, films, cache, progress) for name, folds in lookers.items()]
    out.mkdir(parents=True, exist_ok=True)
    first_folds = {name: folds[0] for name, folds in lookers.items()}
    if filters:
        draw_filters(first_folds, filters, maximisation or Maximisation(), out)
    _draw_films(explained, films, _to_show(films, films_shown), methods, out)
    located = _locate(explained, films, methods, progress)
    if located:
        write_measured(located, out / "localisation.json")
        write_bytes(out / "localisation.md", as_markdown(located).encode())
    return located


def as_markdown(located: Sequence[Located]) -> str:
    """The localisation table."""
    headings = [
        "model",
        "started from",
        "heat",
        "pointing game",
        "IoU",
        "share of heat in boxes",
        "IoU of colour",
        "red in a box",
    ]
    cells = [
        [
            line.model,
            line.starting_weights,
            line.method,
            told(line.measured.pointing),
            told(line.measured.overlap),
            told(line.measured.share),
            *("-" if of is None else told(of) for of in (line.measured.coloured, line.measured.red_in_box)),
        ]
        for line in located
    ]
    films = located[0].measured.films
    head = f"{films} films with boxes by radiologists, unseen; 95 % intervals by bootstrap of patients."
    return f"{head}\n\n{markdown_table(headings, cells)}\n"


def _to_show(films: Sequence[TrainingFilm], count: int) -> list[int]:
    """Abnormal films, those with boxes first, and a normal one at the end (paper, figure 3)."""
    abnormal = sorted(
        (row for row, film in enumerate(films) if film.label), key=lambda row: not films[row].boxes
    )
    normal = [row for row, film in enumerate(films) if film.label == 0]
    return (abnormal[: count - 1] + normal[:1]) or list(range(min(count, len(films))))


def _draw_films(
    models: Sequence[ExplainedModel],
    films: Sequence[TrainingFilm],
    shown: Sequence[int],
    methods: Sequence[str],
    out: Path,
) -> None:
    """Draw the channels of the first film, and the heat of all of them by every method."""
    for model in models:
        looker, film = model.looks_at(shown[0], films)
        draw_channels(looker, film.picture, out / f"channels-{model.name.replace('/', '-')}.png")
    previews = [shrink(read_film(films[row].path.read_bytes()).pixels, PREVIEW) for row in shown]
    has_prior = any(model.folds[0].recipe.prior is not None for model in models)
    for method in methods if has_prior else [one for one in methods if one != PRIOR_ALONE]:
        heats = {
            model.name: [_to_draw(_heat(model, row, films, method), method) for row in shown]
            for model in models
        }
        thresholds = {
            model.name: _thresholds(model, shown, films, method) or [THRESHOLD] * len(shown)
            for model in models
        }
        draw_heat(previews, heats, thresholds, out / f"heat-{method}.png")


def _heat(model: ExplainedModel, row: int, films: Sequence[TrainingFilm], method: str) -> Heat:
    looker, film = model.looks_at(row, films)
    found = METHODS[method](looker, film)
    laid = film.placement.heat_on_film(found.heat, found.cells, (GRID, GRID))
    return in_colour_range(laid, looker.recipe.view(HeatMethod.CAM)) if method == AS_SHIPPED else laid


def _to_draw(heat: Heat, method: str) -> Heat:
    """The clinic's heat as it is; other methods' scaled to their own range (paper, III.B)."""
    return heat if method == AS_SHIPPED else heat / max(float(heat.max()), 1e-12)


def _locate(
    models: Sequence[ExplainedModel],
    films: Sequence[TrainingFilm],
    methods: Sequence[str],
    progress: Progress,
) -> list[Located]:
    drawn = [[box.share_xyxy for box in film.boxes if box.by_radiologist] for film in films]
    boxed = [row for row, boxes in enumerate(drawn) if boxes]
    if not boxed:
        return []
    masks = [box_mask(drawn[row]) for row in boxed]
    patients = np.array([films[row].patient for row in boxed])
    blob = localise([centre_blob()] * len(boxed), masks, patients)
    located = [
        Located("(none)", "-", "chance", chance(masks, patients)),
        Located("(none)", "-", "centre blob", blob),
    ]
    progress.begin("localising", len(models) * len(methods) * len(boxed))
    for model in models:
        for method in methods:
            heats = []
            for row in boxed:
                heats.append(_heat(model, row, films, method))
                progress.advance()
            started_from = model.folds[0].starting_weights
            measured = localise(heats, masks, patients, thresholds=_thresholds(model, boxed, films, method))
            located.append(Located(model.name, started_from, method, measured))
    progress.end()
    return located


def _thresholds(
    model: ExplainedModel, rows: Sequence[int], films: Sequence[TrainingFilm], method: str
) -> list[float]:
    """From which heat on a scan colours each film; none for methods that no scan shows."""
    return [model.looks_at(row, films)[0].recipe.threshold for row in rows] if method == AS_SHIPPED else []
