"""A GPU measured: every network by every contender, as the page docs/gpu-results.md."""

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
from cxr_runtime.backends.choose import open_engine
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.errors import BackendError
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.folder import DEFAULT_MODEL, Manifest, open_model
from cxr_train.networks import Architecture, build_network, network_kind

NETWORKS = ("custom", "alexnet", "vgg16", "vgg19", "squeezenet")
BATCHES = (1, 8, 64, 256)
PRODUCT_SIDE = 8192  # rows and columns of the product that measures how fast a device computes


def measure_gpu(
    networks: Sequence[str] = NETWORKS,
    batches: Sequence[int] = BATCHES,
    data: Sequence[Path] = (),
    device: str = "cuda",
    seconds: float = 1.0,
    side: int = PRODUCT_SIDE,
) -> str:
    """Measure networks with fresh weights, and the default model on films; the page as markdown.

    Args:
        networks: names.
        batches: films a batch.
        data: data sets on which the default model by TensorRT is compared with the processor; without any it
            is not.
        device: as PyTorch names it.
        seconds: wall time of each measurement.
        side: rows and columns of the product that measures how fast the device computes.

    Raises:
        UsageError: there is no network of a name, or a data set cannot be read.
    """
    entrants, openers = [enter(name) for name in networks], contenders(device)
    laps = [lap for one in entrants for lap in race(one, openers, batches, seconds)]
    results = Results(
        laps=tuple(laps),
        works={entrant.model.manifest.architecture: work_of(entrant.model.onnx) for entrant in entrants},
        rates=measure_rates(device, side),
        agreement=_agreement(data) if data else "no films were given",
    )
    return as_markdown(results)


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
