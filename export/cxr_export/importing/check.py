"""Architectures of others, imported with random weights: `cxr-triage lab import-check`.

The libraries are installed into an environment of their own, which sees the packages of the one that asks.
The torchvision that is made for its torch is taken. On Linux the package index has it for CUDA alone; beside
a torch for processors its own operators (for boxes) do not load. They are then declared and never called, so
that its networks can be built.
"""

import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.markdown import markdown_table
from cxr_runtime.progress import Progress

LIBRARIES = ("timm", "torchxrayvision")
NEEDED = ("requests", "scikit-image", "pandas", "imageio", "tqdm", "pyyaml", "pillow")  # by these
TORCHVISION_AHEAD = 15  # torchvision 0.28 is made for torch 2.13
OUTPUTS = "normal,abnormal"  # of networks that have no findings
SOURCES = (
    "torchxrayvision:densenet121-res224-all", "timm:resnet50", "timm:densenet121", "timm:efficientnet_b0",
    "timm:convnext_tiny", "timm:mobilenetv3_large_100", "timm:regnety_008", "timm:seresnext26d_32x4d",
    "timm:dla34", "timm:ghostnet_100", "timm:swin_tiny_patch4_window7_224", "timm:vit_tiny_patch16_224",
    "torchvision:resnet18", "torchvision:densenet121", "torchvision:squeezenet1_1",
    "torchvision:shufflenet_v2_x1_0", "torchvision:mobilenet_v3_small", "torchvision:alexnet",
    "torchxrayvision:densenet169", "torchxrayvision:resnet50-res512-all",
)  # fmt: skip
HEADER = (
    "network", "feature map", "channels, cells", "first cell, distance", "logits, conv5 agree to",
    "heat and margin: r", "films as by the source: grey levels",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One network, imported or refused."""

    source: str
    cells: tuple[str, ...]  # of the table; one sentence if it was refused


def import_check(folder: Path, sources: Sequence[str], progress: Progress) -> Iterator[Line]:
    """Make the environment, and import each network in it.

    Args:
        folder: for the environment and the model folders.
        sources: KIND:NAME.
        progress: hears of every step.

    Raises:
        CxrTriageError: the libraries cannot be installed.
    """
    python = _environment(folder / "environment", progress)
    for source in sources:
        out = folder / source.replace(":", "-")
        asked = [str(python), "-m", __name__, source, str(out)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        last = (done.stdout.strip().splitlines() or [""])[-1]
        if done.returncode == 0 and last.startswith("["):
            yield Line(source, tuple(json.loads(last)))
        else:
            said = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
            yield Line(source, (f"refused: {said}",))


def as_table(lines: Sequence[Line]) -> str:
    """Markdown, with a row for each network."""
    rows = [(line.source, *line.cells, *[""] * (len(HEADER) - 1 - len(line.cells))) for line in lines]
    return markdown_table(HEADER, rows)


def _environment(folder: Path, progress: Progress) -> Path:
    """An environment with the libraries, which finds all else where this one does; its Python."""
    progress.say(f"installing {', '.join(LIBRARIES)} and torchvision into {folder}")
    venv.create(folder, with_pip=True)
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    python = folder / scripts / "python"
    there = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    ours = [entry for entry in sys.path if entry and Path(entry).is_dir() and not _is_standard(Path(entry))]
    (Path(there) / "asking.pth").write_text("\n".join(ours) + "\n", encoding="utf-8")
    minor = int(version("torch").split(".")[1])
    alone = ("--no-deps", f"torchvision==0.{minor + TORCHVISION_AHEAD}.*", *LIBRARIES)
    for packages in (alone, NEEDED):
        command = [str(python), "-m", "pip", "install", "-q", *packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise CxrTriageError(
                f"the libraries cannot be installed ({last}); an index of packages is needed"
            )
    return python


def _is_standard(entry: Path) -> bool:
    """Whether Python's own library lies there, which every environment has."""
    return entry.is_relative_to(sysconfig.get_path("stdlib")) and "site-packages" not in entry.parts


def declare_operators() -> None:
    """What torchvision's Python files name of its compiled part, where that was built for another torch."""
    try:
        import torchvision  # noqa: F401 - to see whether it loads
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
    else:
        return
    import torch

    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
            schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(schema)  # type: ignore[no-untyped-call]  # torch states no type
            _KEPT.append(library)


_KEPT: list[object] = []  # a library that is let go takes its operators along


def check_one(source: str, out: Path) -> tuple[str, ...]:
    """Import one network with random weights; the cells of its row."""
    from cxr_export.importing.bringing import Wish, import_network
    from cxr_export.importing.kinds import Asked

    declare_operators()
    outputs = () if source.startswith("torchxrayvision") else tuple(OUTPUTS.split(","))
    made = import_network(source, out, Wish("scratch", asked=Asked(outputs)))
    heat, parity, difference = made.manifest.heat, made.parity, made.input_difference
    assert difference is not None
    return (
        heat.conv5_layer,
        f"{made.channels}, {made.cells_hw[0]} x {made.cells_hw[1]}",
        f"{heat.cells.origin:.1f}, {heat.cells.stride:g}",
        f"{parity.logits_relative:.0e}, {parity.conv5_relative:.0e}",
        f"{_explained(out):.3f}",
        f"{difference.average:.2f}",
    )


def _explained(folder: Path) -> float:
    """How far the heat of a film, summed over its cells, goes with its margin; 1 where heat is all of it."""
    import numpy as np

    from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
    from cxr_runtime.backends.self_test import phantom_batch
    from cxr_runtime.logits import margins
    from cxr_runtime.model.folder import open_model

    model = open_model(folder, allow_uncalibrated=True)
    films = phantom_batch(model.manifest.preprocessing, 16)
    said = OnnxRuntimeCpu(model.onnx, is_reference=True).run(films)
    weights = np.array(model.manifest.heat.channel_weights, np.float64)
    summed = said.conv5.mean(axis=(2, 3), dtype=np.float64) @ weights
    return float(np.corrcoef(summed, margins(said.logits))[0, 1])


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)  # a folder that is there already takes the same network again
    try:
        print(json.dumps(check_one(sys.argv[1], Path(sys.argv[2]))))  # noqa: T201
    except CxrTriageError as error:
        sys.exit(str(error))
