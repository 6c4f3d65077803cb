"""`cxr-triage explain`: the thin face of `cxr_train.explain`."""

from pathlib import Path
from typing import Annotated

import typer

from cxr_cli.training_options import Cache, Data, cache_folder


def explain_models(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...",
            help="Runs or .safetensors files of theirs, or folders of the folds of a cross-validation.",
            show_default=False,
        ),
    ],
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
    cache: Cache = None,
) -> int:
    """Draw what filters look for and what channels see, and measure whether heat lies where disease is.

    Only films of patients that the models have not seen are used.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_train.explain.explain import as_markdown, explain

    located = explain(
        models,
        data,
        out,
        films_shown=films,
        filters=filters,
        methods=tuple(name.strip() for name in methods.split(",")),
        cache=cache_folder(cache),
        progress=terminal_or_lines(),
    )
    typer.echo(as_markdown(located) if located else "no film has boxes by radiologists: nothing was measured")
    return 0
