"""`cxr-triage build-engine`: the thin face of `cxr_runtime.backends.nvidia.tensorrt_engine`."""

from pathlib import Path
from typing import Annotated, Literal

import typer


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
