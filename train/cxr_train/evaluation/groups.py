"""The groups of films that a model is measured on: all of them, and by view, sex, age, site and class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_train.data.film import TrainingFilm, column
from cxr_train.data.split import Rows

GROUPED_BY = ("site", "view", "sex", "age")
OVERALL = "all films"


@dataclass(frozen=True)
class Group:
    """Some of the films that are scored."""

    name: str  # e.g. `view PA`
    rows: Rows  # of the film table


def groups_of(films: Sequence[TrainingFilm], rows: Rows) -> list[Group]:
    """All groups with both classes that are not all films.

    A radiologist's class of abnormal films, e.g. Lung Opacity, makes a group with all films of class Normal,
    and one within each view.
    """
    shown = [films[row] for row in rows]
    groups = [group for name in GROUPED_BY for group in _by_value(name, column(shown, name), rows)]
    of_class = _class_groups(np.array(column(shown, "radiologist_class")), _labels(films, rows), rows)
    groups += of_class
    for group in of_class:
        views = column([films[row] for row in group.rows], "view")
        within = _by_value(f"{group.name},", views, group.rows)
        groups += [view for view in within if len(view.rows) < len(group.rows)]
    others = [group for group in groups if len(group.rows) < len(rows)]
    return [Group(OVERALL, rows)] + [group for group in others if 0 < _labels(films, group.rows).mean() < 1]


def _by_value(name: str, values: Sequence[str], rows: Rows) -> list[Group]:
    """One group for each value of a column that is known, named `name value`."""
    known = np.array(values)
    return [Group(f"{name} {value}", rows[known == value]) for value in sorted(set(values)) if value]


def _class_groups(classes: NDArray[np.str_], labels: NDArray[np.float64], rows: Rows) -> list[Group]:
    is_normal = (labels == 0) & (classes != "")
    abnormal = sorted(set(classes[(labels == 1) & (classes != "")].tolist()))
    return [Group(f"Normal or {name}", rows[is_normal | (classes == name)]) for name in abnormal]


def _labels(films: Sequence[TrainingFilm], rows: Rows) -> NDArray[np.float64]:
    return np.array([films[row].label for row in rows], np.float64)
