"""Weights of foreign networks, read without running any code that a file brings along."""

import pickle
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.hub import download_url_to_file, get_dir

from cxr_runtime.errors import ModelError, UsageError
from cxr_train.loop.starting_weights import read_weights, why_unread

SCRATCH, PUBLISHED = "scratch", "published"
NESTED = ("state_dict", "model_state_dict", "model", "net", "weights", "ema", "ema_state_dict")
PREFIXES = ("module.", "_orig_mod.", "model.")  # of networks that were wrapped while they were trained
DIGITS = 64  # of a sha256
NEEDED_CLASS = re.compile(r"GLOBAL (\S+)")  # as torch names what it will not build


def load_weights(network: nn.Module, asked: str, published: str = "", digest: str = "") -> str:
    """Put weights into a network.

    Args:
        network: built, its weights drawn.
        asked: a file (.safetensors, .pt, .pth, ...), `published` for what its makers publish, or `scratch`.
        published: the address of these.
        digest: sha256 that the file must have; the first digits are enough if the file's name ends in them.

    Returns:
        What was loaded, with its sha256, for the manifest.

    Raises:
        UsageError: there is no such file, or nobody can say what it must be.
        ModelError: it is damaged or foreign, would run code, or does not fit the network.
    """
    if asked == SCRATCH:
        return "random weights"
    path = _downloaded(published, digest) if asked == PUBLISHED else Path(asked)
    if not path.is_file():
        raise UsageError(f"there are no weights at {path}; expected a file, `published` or `scratch`")
    found = sha256(path.read_bytes()).hexdigest()
    if digest and not found.startswith(digest.lower()):
        raise ModelError(
            f"weights {path} have the sha256 {found[:16]}..., expected {digest[:16]}...; get them anew"
        )
    _fit(network, _tensors(path, network), path)
    return f"{path.name} (sha256 {found})"


def _tensors(path: Path, network: nn.Module) -> dict[str, Tensor]:
    """A state dict from a file; a pickle may build tensors and the network's own layers, nothing else."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix == ".npz":
            return read_weights(path)
        content = _unpickled(path, network)
    except Exception as error:  # whatever a damaged pickle makes of itself
        needed = NEEDED_CLASS.search(str(error))
        if needed:
            raise ModelError(
                f"weights {path} need {needed[1]}, which would run code, or which this network has not; in "
                "the program that made them, save `network.state_dict()` alone, e.g. with safetensors"
            ) from error
        raise ModelError(
            f"weights {path} cannot be read ({why_unread(error)}); expected a state dict as .safetensors, "
            ".pt, .pth or .npz"
        ) from error
    return _state_dict(content, path)


def _unpickled(path: Path, network: nn.Module) -> Any:
    try:
        return torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError:  # a whole network, as some publish it
        own = {type(module) for module in network.modules()}
        with torch.serialization.safe_globals([*own, nn.Module, set]):
            return torch.load(path, "cpu", weights_only=True)


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    if isinstance(content, nn.Module):
        held = {**content.__dict__["_parameters"]} if not content.__dict__.get("_modules") else {}
        return held or dict(_named_tensors(content))
    while isinstance(content, Mapping):
        if content and all(isinstance(value, Tensor) for value in content.values()):
            return dict(content)
        inner = next((content[name] for name in NESTED if name in content), None)
        if inner is None:
            break
        content = dict(_named_tensors(inner)) if isinstance(inner, nn.Module) else inner
    raise ModelError(f"weights {path} hold a {type(content).__name__}; expected a state dict of tensors")


def _named_tensors(network: nn.Module, prefix: str = "") -> list[tuple[str, Tensor]]:
    """Parameters and buffers by name; networks that torch saved long ago lack what `state_dict` asks for."""
    own = {**network.__dict__["_parameters"], **network.__dict__["_buffers"]}
    found = [(f"{prefix}{name}", tensor.detach()) for name, tensor in own.items() if tensor is not None]
    for name, module in network.__dict__["_modules"].items():
        if module is not None:
            found += _named_tensors(module, f"{prefix}{name}.")
    return found


def _fit(network: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    own = network.state_dict()
    named = _renamed(tensors, set(own))
    missing = [name for name in own if name not in named and not name.endswith("num_batches_tracked")]
    other = [name for name in own if name in named and named[name].shape != own[name].shape]
    for name in (missing + other)[:1]:
        found = "is not there" if name in missing else f"has the shape {tuple(named[name].shape)}"
        raise ModelError(
            f"weights {path} do not fit: {name} {found}, expected {tuple(own[name].shape)}; "
            "give those of this very network; its number of outputs follows from --outputs, or for a class "
            "of your own from --set"
        )
    network.load_state_dict({name: named[name] for name in own if name in named}, strict=False)


def _renamed(tensors: dict[str, Tensor], wanted: set[str]) -> dict[str, Tensor]:
    """The same tensors by the names that the network has, where only what it was wrapped in differs."""
    best = tensors
    for prefix in PREFIXES:
        cut = {name.removeprefix(prefix): tensor for name, tensor in best.items()}
        if len(wanted & set(cut)) > len(wanted & set(best)):
            best = cut
    return best


def _downloaded(address: str, digest: str) -> Path:
    """The published file in torch's cache, downloaded if need be; never one whose digest nobody states."""
    if not address:
        raise UsageError(
            "nobody publishes weights for this network that we know of; give a file with --weights"
        )
    name = Path(urlparse(address).path).name
    stated = digest or name.rpartition(".")[0].rpartition("-")[2]
    if not (8 <= len(stated) <= DIGITS and set(stated.lower()) <= set("0123456789abcdef")):
        raise UsageError(
            f"weights {address} bear no digest in their name; state their sha256 with --sha256, or download "
            "them yourself and give the file with --weights"
        )
    path = Path(get_dir()) / "checkpoints" / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            download_url_to_file(address, str(path), hash_prefix=stated.lower(), progress=False)
        except (OSError, RuntimeError) as error:
            raise UsageError(
                f"weights {address} cannot be downloaded ({error}); give a local copy with --weights FILE"
            ) from error
    if not sha256(path.read_bytes()).hexdigest().startswith(stated.lower()):
        raise ModelError(f"weights {path} are damaged: they have not the sha256 {stated}...; delete the file")
    return path
