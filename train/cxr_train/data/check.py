"""What a data scientist should know of the films before the first epoch, in a few lines."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from cxr_train.data.film import TrainingFilm, column
from cxr_train.data.prepared_films import PreparedFilms
from cxr_train.data.split import SIDES, Rows, Split

FEW = 10  # labelled films of a class; figures of fewer jump from epoch to epoch
BLANK = 1.0  # grey levels; a film whose standard deviation is below shows nothing
FILMS_LOOKED_AT = 2000  # spread over the table, for blank ones
NORMAL, ABNORMAL = 0.0, 1.0


def data_lines(films: Sequence[TrainingFilm], prepared: PreparedFilms, split: Split) -> list[str]:
    """Counts of each side, then whatever looks wrong.

    Args:
        films: the film table.
        prepared: its pictures.
        split: its sides.

    Returns:
        Lines for a user; those that begin with `look:` name something that may spoil the training.
    """
    patients = len({film.patient for film in films})
    counted = [f"data: {len(films)} films of {patients} patients"]
    counted += [f"{side}: {_counts(films, split.side(side))}" for side in SIDES if len(split.side(side))]
    return [*counted, *(f"look: {doubt}" for doubt in _doubts(films, prepared, split))]


def _counts(films: Sequence[TrainingFilm], rows: Rows) -> str:
    labels = Counter(films[row].label for row in rows)
    soft = len(rows) - labels[NORMAL] - labels[ABNORMAL] - labels[None]
    boxed = sum(bool(films[row].boxes) for row in rows)
    parts = [f"{labels[NORMAL]} normal", f"{labels[ABNORMAL]} abnormal"]
    parts += [f"{soft} in between"] if soft else []
    parts += [f"{labels[None]} without a label"] if labels[None] else []
    parts += [f"{boxed} with boxes"] if boxed else []
    return f"{len(rows)} films, {', '.join(parts)}"


def _doubts(films: Sequence[TrainingFilm], prepared: PreparedFilms, split: Split) -> Iterator[str]:
    for side in ("training", "validation"):
        labels = Counter(films[row].label for row in split.side(side))
        for name, label in (("normal", NORMAL), ("abnormal", ABNORMAL)):
            if len(split.side(side)) and not labels[label]:
                yield f"{side} has no {name} film: labels of one class alone teach nothing"
            elif len(split.side(side)) and labels[label] < FEW:
                yield f"{side} has {labels[label]} {name} films, so few that figures jump: give more"
    yield from _tell_tales(films, split.training)
    copies = len(prepared.sha256s) - len(set(prepared.sha256s))
    if copies:
        yield f"{copies} films are copies of others; take them out, as they count twice"
    step = max(1, len(films) // FILMS_LOOKED_AT)
    looked_at = range(0, len(films), step)
    blank = [row for row in looked_at if np.asarray(prepared.inputs[row]).std() < BLANK]
    if blank:
        yield f"{len(blank)} films show nothing, e.g. {films[blank[0]].name}"


def _tell_tales(films: Sequence[TrainingFilm], rows: Rows) -> Iterator[str]:
    """Hospitals and views whose films are all of one class: a network may learn these for disease."""
    shown = [films[row] for row in rows if films[row].label in (NORMAL, ABNORMAL) and films[row].weight]
    for name in ("site", "view"):
        groups = Counter(zip(column(shown, name), (film.label for film in shown), strict=True))
        for value in sorted({value for value, _ in groups if value}):
            normal, abnormal = groups[value, NORMAL], groups[value, ABNORMAL]
            others = len(shown) - normal - abnormal
            if normal + abnormal >= FEW and others and not (normal and abnormal):
                kind = "abnormal" if abnormal else "normal"
                yield f"all {normal + abnormal} films of {name} {value} are {kind}; it may learn the {name}"
