"""`cxr-triage export` and `build-engine`: from a trained network to a model folder and an engine."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cxr_cli.training_options import Cache, cache_folder


def export_run(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT", help="A training run, one of its .safetensors files, or a model folder."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The model folder; made where it is missing.")],
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", show_default="that of DIR", help="Name of the model.")
    ] = None,
    precision: Annotated[
        Literal["fp32", "fp16", "int8"],
        typer.Option(help="What the network computes in; fp16 and int8 are refused where films show a loss."),
    ] = "fp32",
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Films to compare on, as for training; drawn ones if not given. int8 takes its scales from "
            "films of patients that the network knows, and is judged on the others.",
        ),
    ] = None,
    licence: Annotated[str, typer.Option(metavar="TEXT", help="Licence of the weights, one line.")] = "",
    evaluation: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="evaluation.json of `cxr-triage evaluate`, for the manifest."),
    ] = None,
    localisation: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="localisation.json of `cxr-triage explain`, for the manifest."),
    ] = None,
    cache: Cache = None,
) -> int:
    """Turn a trained network into a model folder: ONNX with logits and conv5, manifest and card.

    It is finished only when ONNX Runtime agrees with PyTorch on both outputs, at batches of 1, 3 and 8.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_export.checkpoint import export_checkpoint
    from cxr_export.folder import ExportOptions, lower_folder
    from cxr_export.precision import Precision
    from cxr_runtime.errors import UsageError
    from cxr_runtime.files import MANIFEST_FILE

    options = ExportOptions(
        name, licence, Precision(precision), data or (), cache_folder(cache), terminal_or_lines()
    )
    if not (checkpoint / MANIFEST_FILE).is_file():
        source = "PyTorch"
        exported = export_checkpoint(
            checkpoint, out, options, evaluation=evaluation, localisation=localisation
        )
    elif evaluation is None and localisation is None:
        source = "its source"
        exported = lower_folder(checkpoint, out, options)
    else:
        raise UsageError(
            f"{checkpoint} is a model folder, whose measures go into the new one as they are; "
            "--evaluation and --localisation are for a training run"
        )
    parity, acceptance = exported.parity, exported.acceptance
    typer.echo(
        f"exported to {out}; against {source} logits differ by at most {parity.logits:.1e}, "
        f"conv5 by {parity.conv5:.1e}"
    )
    if acceptance is not None:
        typer.echo(
            f"{precision} against fp32 on {acceptance.films} films of {acceptance.source}: scores change "
            f"by at most {acceptance.score_change:.2f}, heat maps correlate by "
            f"{acceptance.heat_correlation:.4f}"
        )
    return 0


def build_engine(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="A model folder, or `default`.")],
    precision: Annotated[
        Literal["fp16", "fp32"],
        typer.Option(help="What the engine computes in; a folder that is FP16 or INT8 stays as it is."),
    ] = "fp16",
    largest_batch: Annotated[
        int, typer.Option(min=1, metavar="FILMS", help="The most films that are computed at once.")
    ] = 32,
    workspace: Annotated[
        float, typer.Option(min=0.1, metavar="GIB", help="GPU memory that the build may use.")
    ] = 4.0,
    version_compatible: Annotated[
        bool, typer.Option(help="For later versions of TensorRT too; slower, and needs its lean runtime.")
    ] = False,
    hardware_compatible: Annotated[
        bool, typer.Option(help="For all GPUs from Ampere on; slower, as fewer kernels can be chosen from.")
    ] = False,
    force: Annotated[bool, typer.Option(help="Build even where the cache holds the engine.")] = False,
) -> int:
    """Compile a model to a TensorRT engine for this machine's GPU, once; scans then find it in the cache.

    An engine that did not come out in the precision asked for is refused.
    """
    from cxr_runtime.backends.nvidia.builder import GIB, BuildOptions
    from cxr_runtime.backends.nvidia.presence import missing
    from cxr_runtime.backends.nvidia.tensorrt_engine import compile_model
    from cxr_runtime.errors import BackendError
    from cxr_runtime.model.folder import open_model

    opened = open_model(model, allow_uncalibrated=True)
    reason = missing()
    if reason is not None:
        raise BackendError(f"no engine can be built here: {reason}; `cxr-triage doctor` tells more")
    options = BuildOptions(
        input_hw=opened.manifest.preprocessing.input_hw,
        usual_batch=largest_batch,
        largest_batch=largest_batch,
        workspace_bytes=int(workspace * GIB),
        is_version_compatible=version_compatible,
        is_hardware_compatible=hardware_compatible,
    )

    def say(line: str) -> None:
        typer.echo(line, err=True)

    compiled = compile_model(opened, precision=precision, options=options, force=force, say=say)
    found = "built" if compiled.was_built else "found in the cache"
    typer.echo(f"{compiled.precision} engine of {opened.manifest.name} {found}, {len(compiled.plan):,} bytes")
    return 0
