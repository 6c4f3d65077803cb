"""Measure a GPU and write docs/gpu-results.md: `python -m cxr_export.gpu --write FILE --data PATH`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from cxr_export.folder import export_network
from cxr_export.gpu.agreement import Agreement, agreement
from cxr_export.gpu.contenders import Entrant, contenders
from cxr_export.gpu.floor import measure_rates, work_of
from cxr_export.gpu.race import race
from cxr_export.gpu.report import Results, as_markdown
from cxr_runtime.atomic import write_bytes
from cxr_runtime.backends.choose import open_engine
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.errors import BackendError
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.folder import DEFAULT_MODEL, open_model
from cxr_runtime.model.manifest import Manifest
from cxr_runtime.program import run_program
from cxr_train.networks import Architecture, build_network, network_kind

NETWORKS = ("custom", "alexnet", "vgg16", "vgg19", "squeezenet")
BATCHES = (1, 8, 64, 256)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and write them where told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "networks", nargs="*", metavar="NETWORK", help=f"names; {', '.join(NETWORKS)} if none"
    )
    parser.add_argument("--batch", action="append", type=int, metavar="FILMS", help=f"default: {BATCHES}")
    parser.add_argument("--data", action="append", type=Path, default=[], metavar="PATH", help="films")
    parser.add_argument("--device", default="cuda", help="as PyTorch names it")
    parser.add_argument("--seconds", type=float, default=1.0, help="wall time of each measurement")
    parser.add_argument("--side", type=int, default=8192, help="of the product that tells the device's rate")
    parser.add_argument("--write", type=Path, metavar="FILE", help="markdown")
    options = parser.parse_args(arguments)
    entrants = [enter(name) for name in options.networks or NETWORKS]
    batches, openers = options.batch or BATCHES, contenders(options.device)
    laps = [lap for one in entrants for lap in race(one, openers, batches, options.seconds)]
    results = Results(
        laps=tuple(laps),
        works={entrant.model.manifest.architecture: work_of(entrant.model.onnx) for entrant in entrants},
        rates=measure_rates(options.device, options.side),
        agreement=_agreement(options.data) if options.data else "no films were given",
    )
    table = as_markdown(results)
    print(table)  # noqa: T201  # the table is the result
    if options.write is not None:
        write_bytes(options.write, table.encode())


def enter(name: str) -> Entrant:
    """A network with fresh weights, since no time depends on them, and its export.

    Raises:
        UsageError: there is no network of that name.
    """
    how = network_kind(name).preprocessing
    torch.manual_seed(0)
    network = build_network(Architecture(name, input_hw=how.input_hw)).eval()
    heat = HeatRecipe((0.0,) * network.conv5_channels, 0.0, 1.0, 0.5, network.cells, network.conv5_layer, 1.0)
    with TemporaryDirectory() as folder:
        export_network(network, Manifest(name, name, "", "fp32", how, heat, ""), Path(folder))
        return Entrant(network, open_model(folder, allow_uncalibrated=True))


def _agreement(data: Sequence[Path]) -> Agreement | str:
    """The default model by TensorRT against the processor, or why it could not be compared."""
    model = open_model(DEFAULT_MODEL)
    try:
        engine = open_engine(model, "tensorrt", batch_size=8, require_gpu=True)
        return agreement(model, OnnxRuntimeCpu(model.onnx), engine, data)
    except BackendError as error:
        return str(error)


if __name__ == "__main__":
    run_program(main)
