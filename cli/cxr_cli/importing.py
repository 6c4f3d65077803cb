"""`cxr-triage import`: a network that others trained, as a model folder."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cxr_cli.training_options import Cache, cache_folder


def import_foreign(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="torchxrayvision:NAME, timm:NAME, torchvision:NAME, module:MODULE.CLASS, or an .onnx file.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The model folder; made where it is missing.")],
    weights: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            show_default="those in an .onnx file",
            help="A state dict (.safetensors, .pt, .pth), `published` (downloaded), or `scratch` (random).",
        ),
    ] = "",
    sha256: Annotated[
        str, typer.Option(metavar="HEX", help="What the weights must have; needed where their name has none.")
    ] = "",
    abnormal: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            show_default="the source's own",
            help="Outputs that speak for abnormal, by name or number; the highest counts.",
        ),
    ] = "",
    outputs: Annotated[
        str,
        typer.Option(metavar="LIST", show_default="the source's own", help="Names of the network's outputs."),
    ] = "",
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Labelled films, as for training: a head is fitted on them if --abnormal names no outputs, "
            "and heat on their boxes.",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(min=16, metavar="PIXELS", show_default="the source's own", help="Side of the input."),
    ] = None,
    crop: Annotated[
        Literal["film", "centre", "lung-field", "lung-mask"] | None,
        typer.Option(show_default="the source's own", help="What of a film the network is shown."),
    ] = None,
    pixels: Annotated[
        str,
        typer.Option(
            metavar="LOW..HIGH",
            show_default="the source's own, or ImageNet's mean and deviation",
            help="What black and white are to the network, e.g. 0..1, 0..255 or -1024..1024.",
        ),
    ] = "",
    feature_map: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default="found", help="The layer or tensor that heat comes from."),
    ] = None,
    code: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of MODULE; its code is run.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Given to the class; may be repeated."),
    ] = None,
    name: Annotated[
        str, typer.Option(metavar="TEXT", show_default="that of DIR", help="Name of the model.")
    ] = "",
    licence: Annotated[str, typer.Option(metavar="TEXT", help="Licence of the weights, one line.")] = "",
    cache: Cache = None,
) -> int:
    """Turn a network that others trained into a model folder, with heat map and parity.

    It is finished only when ONNX Runtime agrees with the source on logits and feature map. Calibrate it on
    your own films before you scan.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_export.importing.bringing import Wish, import_network
    from cxr_export.importing.kinds import Asked
    from cxr_train.recipe.composing import parse_setting

    given: dict[str, Any] = {}
    for text in settings or []:
        given |= parse_setting(text)
    wish = Wish(
        weights=weights,
        digest=sha256,
        asked=Asked(_names(outputs), given, code, size),
        abnormal=_names(abnormal),
        preprocessing=_stated(crop, pixels),
        feature_map=feature_map,
        name=name,
        licence=licence,
    )
    made = import_network(source, out, wish, data or (), cache_folder(cache), terminal_or_lines())
    heat, difference = made.manifest.heat, made.input_difference
    typer.echo(
        f"imported into {out}; against the source logits differ by at most {made.parity.logits:.1e}, "
        f"conv5 by {made.parity.conv5:.1e}"
    )
    typer.echo(
        f"heat: {heat.conv5_layer}, {made.channels} channels, {made.cells_hw[0]} x {made.cells_hw[1]} cells, "
        f"{heat.cells.stride:g} pixels apart, the first at {heat.cells.origin:g}"
    )
    if difference is not None:
        typer.echo(
            f"films are prepared {'as' if difference.is_the_same else 'OTHERWISE than'} by the source: "
            f"{difference.average:.2f} of 255 grey levels apart on average"
        )
    typer.echo(f"next: cxr-triage calibrate --model {out} --labels FILE.csv")
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _stated(crop: str | None, pixels: str) -> dict[str, Any]:
    """Fields of the preprocessing: a share of white v becomes (v - mean) / std."""
    from cxr_runtime.errors import UsageError

    stated: dict[str, Any] = {} if crop is None else {"crop": crop}
    if crop == "centre":
        stated["crop_margin"] = 0.0
    if pixels:
        low, dots, high = pixels.partition("..")
        try:
            black, white = float(low), float(high)
        except ValueError as error:
            raise UsageError(f"--pixels is {pixels!r}; expected LOW..HIGH, e.g. -1024..1024") from error
        if not dots or not white > black:
            raise UsageError(f"--pixels is {pixels!r}; expected LOW..HIGH with LOW below HIGH")
        stated |= {"mean": (-black / (white - black),) * 3, "std": (1 / (white - black),) * 3}
    return stated
