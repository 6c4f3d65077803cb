"""`cxr-triage evaluate` and `explain`: what networks do on films that they have not seen."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cxr_cli.training_options import Cache, Data, Device, ScoredFifth, cache_folder, fifth_option, machine

Fifths = Annotated[list[ScoredFifth] | None, fifth_option("training")]
Models = Annotated[
    list[Path],
    typer.Argument(
        metavar="MODEL...",
        help="Runs or .safetensors files of theirs, or folders of the folds of a cross-validation.",
        show_default=False,
    ),
]


def evaluate_models(
    models: Models,
    data: Data,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of tables and figures.")],
    threshold: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Probability from which a film is flagged.")
    ] = 0.5,
    truth: Annotated[
        Literal["radiologist", "clinic", "report", "stated"] | None,
        typer.Option(
            show_default="all but report, if there are others", help="Score on labels of this kind."
        ),
    ] = None,
    fifth: Fifths = None,
    replicates: Annotated[int, typer.Option(min=100, help="Samples of each bootstrap.")] = 2000,
    device: Device = "auto",
    cache: Cache = None,
) -> int:
    """Measure models on films of patients they have not seen, side by side.

    Of their own data that is the test side, of other data all films: train on one site, test on another.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_train.data import Truth
    from cxr_train.data.fifths import fifths_named
    from cxr_train.evaluation.evaluate import evaluate
    from cxr_train.evaluation.tables import as_markdown

    evaluation = evaluate(
        models,
        data,
        out,
        truth=Truth(truth) if truth else None,
        fifths=fifths_named(fifth or ("training",)),
        threshold=threshold,
        replicates=replicates,
        device=machine(device, 1).device,
        cache=cache_folder(cache),
        progress=terminal_or_lines(),
    )
    typer.echo(as_markdown(evaluation))
    return 0


def explain_models(
    models: Models,
    data: Data,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of figures, which show the films given.")],
    films: Annotated[int, typer.Option(min=1, help="Films in the figures.")] = 4,
    filters: Annotated[int, typer.Option(min=0, help="Filters drawn of each layer; 0: none.")] = 3,
    methods: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Any of cam,cam-without-prior,prior-alone,grad-cam,occlusion,strongest-channel.",
        ),
    ] = "cam,cam-without-prior,prior-alone,grad-cam,occlusion,strongest-channel",
    fifth: Fifths = None,
    cache: Cache = None,
) -> int:
    """Draw what filters look for and what channels see, and measure whether heat lies where disease is.

    Only films of patients that the models have not seen are used.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_train.data.fifths import fifths_named
    from cxr_train.explain.explain import as_markdown, explain

    located = explain(
        models,
        data,
        out,
        films_shown=films,
        filters=filters,
        methods=tuple(name.strip() for name in methods.split(",")),
        fifths=fifths_named(fifth or ("training",)),
        cache=cache_folder(cache),
        progress=terminal_or_lines(),
    )
    typer.echo(as_markdown(located) if located else "no film has boxes by radiologists: nothing was measured")
    return 0
