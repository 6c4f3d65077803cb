"""Weights to start from: ImageNet's as published, a local file of them, or an earlier run."""

import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.hub import download_url_to_file, get_dir

from cxr_runtime.errors import UsageError
from cxr_train.checkpoint import FOLD_PREFIX, load_checkpoint
from cxr_train.networks import Network, network_kind

EXPORTED = "network."  # how an export names the network's weights
FOLDED = ".weight_bias"  # how the names of those end that batch normalisation left in a convolution
HEADS = "heads."  # how the names of training heads' weights begin


def start_from(network: Network, name: str, start: str) -> str:
    """Load the weights a network starts from, all but those of its new layer.

    Args:
        network: built as `name`, its weights fresh.
        name: as in NETWORKS.
        start: `scratch`; `published` for ImageNet's, downloaded unless they are in torch's cache; a .pth,
            .safetensors or .npz file of them, named as the kind of network says (torchvision's layout for
            most); the model.onnx of an exported network without batch normalisation, its classifier included;
            or a run, its heads included, and as much of its new layer as this network has too.

    Returns:
        What was loaded, with the start of its sha256: the line for tables and manifests.

    Raises:
        UsageError: the weights cannot be had, or do not fit the network.
    """
    if start == "scratch":
        return "scratch"
    path = _published(name) if start == "published" else Path(start)
    if path.is_dir():
        earlier, config = load_checkpoint(path)
        _load(network, earlier.state_dict(), new=(f"{network.new_layer}.", HEADS), source=path)
        before = "" if config.starting_weights == "scratch" else f", begun from {config.starting_weights}"
        return f"run {_run_name(path)}{before}"
    if path.suffix == ".onnx":
        exported = read_weights(path)
        if any(name.endswith(FOLDED) for name in exported):
            raise UsageError(
                f"weights {path} cannot be trained further: an export keeps batch normalisation within its "
                "convolutions; give the run that it was made of, or published weights"
            )
        _load(network, exported, new=(HEADS,), source=path)
        return f"{path.stem} (sha256 {_digest(path)[:12]})"
    published, new = read_weights(path), (f"{network.new_layer}.", HEADS)
    own = {network_kind(name).own_name(given): weight for given, weight in published.items()}
    features = {name: weight for name, weight in own.items() if not name.startswith(new)}
    _load(network, features, new, source=path)
    return f"{path.stem} (sha256 {_digest(path)[:12]})"


def _run_name(run: Path) -> str:
    """A run's folder by name, a fold's with that of its cross-validation."""
    folder = run.resolve()
    return f"{folder.parent.name}/{folder.name}" if folder.name.startswith(FOLD_PREFIX) else folder.name


def origin(starting_weights: str) -> str:
    """What training started from, in a cell: the run it went on from, and the weights at its root."""
    steps = starting_weights.split(", begun from ")
    names = [re.sub(rf"^run |/{FOLD_PREFIX}\d+$| \(sha256 .*", "", step) for step in steps]
    return names[0] if len(names) == 1 else f"{names[0]}, from {names[-1]}"


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict as float32 from .pth, .safetensors, .npz or an exported .onnx.

    Raises:
        UsageError: the file is missing or of another kind, or has not the hash that its name ends in.
    """
    _refuse_damaged(path)
    try:
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                return {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays.files}
        if path.suffix == ".onnx":
            return _exported(path)
        tensors = (
            load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
        )
        return {name: tensor.float() for name, tensor in tensors.items()}
    except Exception as error:
        raise UsageError(
            f"weights {path} cannot be read ({why_unread(error)}); expected a state dict as .pth, "
            ".safetensors or .npz, or an exported model.onnx"
        ) from error


def why_unread(error: Exception) -> str:
    """Why a file of weights cannot be read, in our words: torch's own advise to run what it holds."""
    if isinstance(error, OSError):
        return error.strerror or "the file is not there"
    return "it is damaged, or holds something else than tensors by their names"


def _exported(path: Path) -> dict[str, Tensor]:
    """The weights of an export in single precision, whose initializers are named as in the network."""
    weights = onnx.load(path).graph.initializer
    named = {each.name: each for each in weights if each.name.startswith(EXPORTED)}
    return {
        name.removeprefix(EXPORTED): torch.from_numpy(onnx.numpy_helper.to_array(each).copy())
        for name, each in named.items()
    }


def _load(network: Network, weights: dict[str, Tensor], new: tuple[str, ...], source: Path) -> None:
    """Load all weights there are; only those whose names begin as in `new` may be missing."""
    own = network.state_dict()
    fitting = {name: tensor for name, tensor in weights.items() if name in own}
    missing = [name for name in own if name not in fitting and not name.startswith(new)]
    other = [name for name, tensor in fitting.items() if tensor.shape != own[name].shape]
    if missing or other:
        raise UsageError(
            f"weights {source} do not fit: {(missing + other)[0]} is missing or of another shape; "
            "give weights of the same network in torchvision's layout, or a run of the same architecture"
        )
    network.load_state_dict(fitting, strict=False)


def _published(name: str) -> Path:
    """The published file in torch's cache, downloaded if need be."""
    address = network_kind(name).published
    if not address:
        raise UsageError(f"there are no published weights for {name}; start from scratch, a file or a run")
    path = Path(get_dir()) / "checkpoints" / address.rsplit("/", 1)[1]
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            download_url_to_file(address, str(path), progress=False)
        except OSError as error:
            raise UsageError(
                f"weights {address} cannot be downloaded ({error}); give a local copy with --start FILE, "
                "or train from scratch with --start scratch"
            ) from error
    return path


def _refuse_damaged(path: Path) -> None:
    """Published weights bear the start of their sha256 at the end of their name."""
    named = re.search(r"-([0-9a-f]{8})$", path.stem)
    if named and path.is_file() and not (found := _digest(path)).startswith(named[1]):
        raise UsageError(
            f"weights {path} are damaged: sha256 {found[:8]}..., expected {named[1]}...; delete the file"
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
