"""`cxr-triage lab page`, `card-tables`, `model-rows`, `pictures` ...: what stands in the documents."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def print_card_tables(
    evaluation: Annotated[
        Path,
        typer.Argument(metavar="EVALUATION.json", help="What `cxr-triage evaluate` found of a model."),
    ],
    localisation: Annotated[
        Path, typer.Argument(metavar="LOCALISATION.json", help="What `cxr-triage explain` found of it.")
    ],
    pages: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PAGE.md]...", help="Pages whose tables of the same heads are replaced."),
    ] = None,
) -> int:
    """Print the tables of a model's card: how well it does, and where its heat lies."""
    from cxr_train.evaluation.page_tables import card_tables

    typer.echo(card_tables(evaluation, localisation, pages or ()))
    return 0


def write_calibration_page(
    margins: Annotated[
        Path, typer.Argument(metavar="MARGINS.csv", help="What `lab margins` wrote of the default model.")
    ],
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with nih512.csv, nlm128.csv and their films.")
    ],
    out: Annotated[Path, typer.Option(metavar="PAGE.md", help="The page to write.")] = Path(
        "docs/default-calibration.md"
    ),
    beside: Annotated[
        Path | None,
        typer.Option(metavar="BESIDE.csv", show_default="none", help="As of `lab out-of-fold`."),
    ] = None,
) -> int:
    """Describe the default model's scores of films not seen, rehearse monitoring, and write the page."""
    from cxr_cli.progress import terminal_or_lines
    from cxr_runtime.atomic import write_bytes
    from cxr_train.evaluation.calibration_page import calibration_page

    write_bytes(out, calibration_page(margins, data, terminal_or_lines(), beside=beside).encode())
    return 0


def write_measured_page(
    name: Annotated[
        Literal["default-model", "tried", "gate", "lung-field"],
        typer.Argument(metavar="NAME", help="default-model, tried, gate or lung-field."),
    ],
    runs: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of all runs, laid out as the page says.")
    ] = Path("runs"),
    docs: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the pages.")] = Path("docs"),
) -> int:
    """Bring the tables of a page up to date, and name the shipped file that it is about."""
    from cxr_train.pages import Sources, write_page

    typer.echo(str(write_page(name, docs, Sources(runs))))
    return 0


def print_model_rows(
    evaluations: Annotated[
        list[Path], typer.Argument(metavar="EVALUATION.json...", help="What `cxr-triage evaluate` measured.")
    ],
    localisation: Annotated[
        Path | None,
        typer.Option(metavar="LOCALISATION.json", help="What `cxr-triage explain` measured."),
    ] = None,
    intervals: Annotated[bool, typer.Option("--intervals", help="Give every figure its interval.")] = False,
    against: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Say how far each AUC is above that of this model."),
    ] = None,
) -> int:
    """Print models as the rows of one table, by the figures that a default model is chosen by."""
    from cxr_train.evaluation.page_tables import model_rows

    typer.echo(model_rows(evaluations, localisation, intervals, against))
    return 0


def draw_pictures_of_docs(
    films: Annotated[Path, typer.Argument(metavar="FILMS", help="Films that may be shown.")] = Path(
        "examples"
    ),
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the pictures.")] = Path(
        "docs/pictures"
    ),
) -> int:
    """Scan drawn films, and make the pictures of the worklist, its viewer and the report that the docs show.

    It needs the extra `dev`, Chromium and poppler.
    """
    from cxr_cli.pictures import draw_pictures

    for picture in draw_pictures(films, out):
        typer.echo(str(picture))
    return 0
