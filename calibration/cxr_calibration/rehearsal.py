"""How often monitoring alarms, rehearsed on scans: on fresh samples of the same films, and on drifted ones.

python -m cxr_calibration.rehearsal MODEL USUAL [NAME=DRIFTED ...] [--films N] [--nights N]

USUAL and DRIFTED are output folders of scans with MODEL; the drifted ones may be of the same films, changed.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cxr_calibration.checks import Threshold, check_night
from cxr_calibration.gathering import reference_films
from cxr_calibration.intervals import Estimate, wilson
from cxr_calibration.monitoring import FALSE_ALARMS
from cxr_calibration.nights import is_alarm
from cxr_calibration.percent import percent_interval
from cxr_calibration.reference import ReferenceFilm, make_reference
from cxr_calibration.scoring_films import scores_of_scan
from cxr_runtime.model.folder import open_model
from cxr_runtime.program import run_program

USUAL = "fresh sample of the same"


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


def main(arguments: Sequence[str] | None = None) -> str:
    """Rehearse scans named on a command line; returns the table that is printed."""
    parser = argparse.ArgumentParser("cxr_calibration.rehearsal", description="Rehearse monitoring on scans.")
    parser.add_argument("model")
    parser.add_argument("usual", type=Path)
    parser.add_argument("drifted", nargs="*", metavar="NAME=DRIFTED")
    parser.add_argument("--films", type=int, default=60)
    parser.add_argument("--nights", type=int, default=300)
    asked = parser.parse_args(arguments)
    model = open_model(asked.model)
    point = model.calibration.operating_point()
    scans = {name: Path(folder) for name, _, folder in (text.partition("=") for text in asked.drifted)}
    rates = rehearse(
        reference_films(scores_of_scan(model, asked.usual)),
        {name: reference_films(scores_of_scan(model, folder)) for name, folder in scans.items()},
        Threshold(model.calibration, point.threshold),
        films=asked.films,
        nights=asked.nights,
    )
    rows = [f"| {name} | {percent_interval(rate)} |" for name, rate in rates.items()]
    return "\n".join([f"| night of {asked.films} films | nights that alarm |", "|---|---|", *rows])


if __name__ == "__main__":
    run_program(lambda: print(main()))  # noqa: T201
