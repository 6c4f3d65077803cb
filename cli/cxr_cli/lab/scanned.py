"""`cxr-triage lab regions` and `similar`: what `serve` says beside a film, against what is known."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxr_cli.training_options import ScoredFifth, fifth_option

if TYPE_CHECKING:
    from cxr_train.data import TrainingFilm

Scan = Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of a scan of the tables' films.")]
Tables = Annotated[
    list[Path], typer.Option("--data", metavar="TABLE.csv", help="What is known of them; may be repeated.")
]
Fifths = Annotated[list[ScoredFifth] | None, fifth_option("threshold")]


def print_regions(scan: Scan, data: Tables, fifth: Fifths = None) -> int:
    """Print how often the region that words name first is where radiologists drew boxes."""
    from cxr_train.evaluation.scanned import regions_table

    typer.echo(regions_table(scan, _films(data, fifth)))
    return 0


def print_similar(scan: Scan, data: Tables, fifth: Fifths = None) -> int:
    """Print how often the most similar films of other patients have the same label as a film."""
    from cxr_train.evaluation.scanned import similar_table

    typer.echo(similar_table(scan, _films(data, fifth)))
    return 0


def _films(data: Sequence[Path], fifths: Sequence[str] | None) -> "Sequence[TrainingFilm]":
    from cxr_train.data import read_film_table
    from cxr_train.data.fifths import fifths_named

    return read_film_table(data, fifths_named(fifths or ("threshold",)))
