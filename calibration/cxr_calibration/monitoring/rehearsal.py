"""Drift, rehearsed: films as another screen would give them, and how often monitoring alarms on them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from cxr_calibration.labels.scoring_films import scores_of_scan
from cxr_calibration.monitoring.checks import Threshold, check_night
from cxr_calibration.monitoring.nights import FALSE_ALARMS, is_alarm
from cxr_calibration.monitoring.reference import ReferenceFilm, make_reference, reference_films
from cxr_calibration.statistics.intervals import Estimate, percent_interval, wilson
from cxr_runtime.errors import FilmError, UsageError
from cxr_runtime.film import GreyPixels
from cxr_runtime.markdown import markdown_table
from cxr_runtime.model.folder import Model, open_model
from cxr_runtime.reading import read_film
from cxr_runtime.sources.find import find_films
from cxr_runtime.store.rows import StoredScore

USUAL = "fresh sample of the same"


def through_gamma(pixels: GreyPixels, gamma: float) -> GreyPixels:
    """Grey levels raised to a power; black and white stay.

    Args:
        pixels: (rows, columns) uint8.
        gamma: above 1 darkens, below 1 brightens.
    """
    levels = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return levels[pixels]


def write_films(films: Sequence[Path], out: Path, gamma: float) -> int:
    """Write films through a gamma as PNG; the number of films that could be read and written.

    Args:
        films: films, or folders of them.
        out: folder for what is written.
        gamma: above 0.

    Raises:
        UsageError: a film or folder does not exist, or gamma is not positive.
    """
    if gamma <= 0:
        raise UsageError(f"gamma is {gamma}; expected a number above 0, e.g. 1.4")
    out.mkdir(parents=True, exist_ok=True)
    written = 0
    for number, source in enumerate(find_films([str(film) for film in films], exclude=out).sources):
        try:
            pixels = read_film(source.read_bytes()).pixels
        except FilmError:
            continue
        written += cv2.imwrite(str(out / f"{number:06}.png"), through_gamma(pixels, gamma))
    return written


def rehearse(
    usual: Sequence[ReferenceFilm],
    drifted: Mapping[str, Sequence[ReferenceFilm]],
    threshold: Threshold,
    *,
    films: int = 60,
    nights: int = 300,
    false_alarms: float = FALSE_ALARMS,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Share of nights that alarm.

    For every night the usual films are shuffled: `films` make a fresh night, the others the reference;
    a drifted night is drawn from the drifted films and compared with the same reference.

    Args:
        usual: films that were in order, more than `films`.
        drifted: by name, what has changed; at least `films` each.
        threshold: of the operating point in use.
        films: a night.
        nights: of each kind.
        false_alarms: a night, where nothing has changed.
        seed: of the shuffling.

    Returns:
        By name, `USUAL` first, the share of nights that alarm, with Wilson's interval.

    Raises:
        ValueError: there are too few films.
    """
    if len(usual) <= films or any(len(changed) < films for changed in drifted.values()):
        raise ValueError(f"nights of {films} films need more films than there are")
    random, alarms = np.random.default_rng(seed), dict.fromkeys([USUAL, *drifted], 0)
    for _ in range(nights):
        order = random.permutation(len(usual))
        kept = make_reference([usual[i] for i in order[films:]], patients=None, is_everyday=True)
        shown = {USUAL: [usual[i] for i in order[:films]]}
        for name, changed in drifted.items():
            shown[name] = [changed[i] for i in random.choice(len(changed), films, replace=False)]
        for name, night in shown.items():
            alarms[name] += is_alarm(check_night(night, kept, threshold), false_alarms)
    return {name: wilson(count, nights) for name, count in alarms.items()}


def rehearsal_table(
    model: Model,
    usual: Sequence[StoredScore],
    drifted: Mapping[str, Sequence[StoredScore]],
    *,
    films: int = 60,
    nights: int = 300,
) -> str:
    """Rehearse scores of films; the table of the nights that alarm, as markdown.

    Args:
        model: that gave the scores.
        usual: of films that were in order.
        drifted: by name, of films that have changed.
        films: a night.
        nights: of each kind.

    Raises:
        UsageError: there are too few films for such nights.
    """
    threshold = Threshold(model.calibration, model.calibration.operating_point().threshold)
    changed = {name: reference_films(scores) for name, scores in drifted.items()}
    try:
        rates = rehearse(reference_films(usual), changed, threshold, films=films, nights=nights)
    except ValueError as error:
        raise UsageError(f"{error}; ask for smaller nights with --films") from error
    rows = [[name, percent_interval(rate)] for name, rate in rates.items()]
    return markdown_table([f"night of {films} films", "nights that alarm"], rows)


def rehearse_scans(
    model: str | Path, usual: Path, drifted: Mapping[str, Path], *, films: int = 60, nights: int = 300
) -> str:
    """As `rehearsal_table`, of scans.

    Args:
        model: name of a bundled model, or a model folder.
        usual: output folder of a scan with this model that was in order.
        drifted: by name, output folders of scans of films that have changed.
        films: a night.
        nights: of each kind.

    Raises:
        UsageError: a scan has too few films for such nights.
        StoreError: a folder holds no scan.
        CalibrationError: another model made some of the scores.
    """
    opened = open_model(model)
    changed = {name: scores_of_scan(opened, folder) for name, folder in drifted.items()}
    return rehearsal_table(opened, scores_of_scan(opened, usual), changed, films=films, nights=nights)
