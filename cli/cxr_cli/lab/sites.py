"""`cxr-triage lab foreign` and `few-labels`: what can be known of films from elsewhere, measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cxr_calibration.labels.site_films import SiteFilms

Scans = Annotated[
    Path,
    typer.Argument(
        metavar="SCANS",
        help="Folder with the output folder of a scan for each table, named as the table is; each scan was "
        "started from the folder of the tables.",
    ),
]
Tables = Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder of the tables, NAME.csv.")]
Home = Annotated[
    list[str], typer.Option(metavar="NAME", help="Table of the calibration's hospital; may be repeated.")
]
Away = Annotated[list[str], typer.Option(metavar="NAME", help="Table of another hospital; may be repeated.")]
Learned = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Table whose every patient was learned from; left out at home, as the training fifths are.",
    ),
]


def print_foreign_nights(
    scans: Scans,
    home: Home,
    away: Away,
    data: Tables,
    learned: Learned = None,
    nights: Annotated[int, typer.Option(min=1, help="Nights of each kind and size.")] = 300,
) -> int:
    """Print how often scans call nights foreign: fresh ones of the calibration's hospital, and others."""
    from cxr_calibration.monitoring.foreign_nights import foreign_table

    at_home, elsewhere = _sites(scans, data, home, away, learned or [])
    typer.echo(foreign_table(at_home, elsewhere, nights=nights))
    return 0


def print_few_labels(
    scans: Scans,
    home: Home,
    away: Away,
    data: Tables,
    learned: Learned = None,
    draws: Annotated[int, typer.Option(min=1, help="Draws for each row.")] = 20,
) -> int:
    """Print what can be known without labels, and with 60, on sites that have labels.

    The first table is about sites elsewhere, the second about the same hospital, the third about 60 labels.
    """
    from cxr_calibration.fit.unlabelled_trials import coverage_table, ways_table
    from cxr_calibration.labels.choosing_trials import choosing_table

    at_home, elsewhere = _sites(scans, data, home, away, learned or [])
    sites = {"+".join(home): at_home, **elsewhere}
    typer.echo(ways_table(sites, draws=draws))
    typer.echo("\n" + coverage_table(at_home, draws=2 * draws))
    typer.echo("\n" + choosing_table(sites, draws=10 * draws))
    return 0


def _sites(
    scans: Path, data: Path, home: list[str], away: list[str], learned: list[str]
) -> "tuple[SiteFilms, dict[str, SiteFilms]]":
    from cxr_calibration.labels.site_films import SiteFilms, patients_of, read_site
    from cxr_train.data import read_film_table

    trained = read_film_table([data / f"{name}.csv" for name in home])  # of the training fifths
    without = patients_of([data / f"{name}.csv" for name in learned])
    without |= {film.patient.split(":", maxsplit=1)[1] for film in trained}
    at_home = [read_site(scans / name, data / f"{name}.csv", without=without) for name in home]
    elsewhere = {name: read_site(scans / name, data / f"{name}.csv") for name in away}
    return SiteFilms.together(at_home), elsewhere
