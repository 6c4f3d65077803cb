"""Where foreign networks come from: torchxrayvision, timm, torchvision, or a class of one's own."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.metadata import version
from math import isnan, log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cxr_runtime.errors import ModelError, UsageError
from cxr_runtime.film import GreyPixels
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.offline import show_requests

PIXEL = 1 / 2048  # torchxrayvision's pixels are -1024..1024: 2048 times a share, less 1024
OwnInput = Callable[[GreyPixels], NDArray[np.float32]]  # film -> (c, H, W), as the source's own code makes it


@dataclass(frozen=True)
class Facts:
    """What is known of a foreign network before anybody looks into it."""

    outputs: tuple[str, ...]  # names of what it says; empty: not known
    preprocessing: Preprocessing
    channels: int = 3  # of its input, 1 or 3
    abnormal: tuple[str, ...] = ()  # outputs that speak for abnormal, where nobody says otherwise
    thresholds: tuple[float, ...] = ()  # logits from which each output counts as found; empty: none are given
    own_input: OwnInput | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Source:
    """A foreign network before its weights."""

    network: nn.Module = field(repr=False)
    facts: Facts
    published: str = ""  # address of its weights


@dataclass(frozen=True)
class Asked:
    """What a user says of a network to be built."""

    outputs: tuple[str, ...] = ()  # names; empty: the network's own
    settings: Mapping[str, Any] = field(default_factory=dict)  # given to the class as keywords
    code: Path | None = None  # folder of the class
    size: int | None = None  # side of the input; None: the network's own


def build_source(text: str, asked: Asked) -> Source:
    """Build the network that a SOURCE names.

    Args:
        text: KIND:NAME, see KINDS.
        asked: what else the user says of it.

    Raises:
        UsageError: there is no such kind or network, or its library is not installed.
    """
    kind, colon, name = text.partition(":")
    if not colon or kind not in KINDS or not name:
        raise UsageError(
            f"SOURCE {text!r} names no network; expected an .onnx file, or one of: "
            + ", ".join(f"{known}:NAME" for known in KINDS)
        )
    show_requests()  # torchxrayvision imports it, and whatever a class of the user's own does
    if kind in LIBRARIES:
        _load_library(kind)
    return KINDS[kind](name, asked)


def _load_library(name: str) -> None:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{name} networks need the library {error.name}, which is not installed: pip install {name}"
        ) from error
    except (ImportError, OSError, RuntimeError) as error:  # torchvision that was built for another torch
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(
            f"{name} does not load beside torch {version('torch')} ({reason}); install torch and torchvision "
            "together, from the same index of packages"
        ) from error


def from_torchxrayvision(name: str, asked: Asked) -> Source:
    """Weights of torchxrayvision, e.g. densenet121-res224-all; or an architecture, e.g. densenet169."""
    from torchxrayvision import datasets, models

    stated: dict[str, Any] = models.model_urls.get(name, {})
    labels = asked.outputs or tuple(stated.get("labels", datasets.default_pathologies))
    outputs = tuple(label or f"unused-{place}" for place, label in enumerate(labels))
    side = asked.size or stated.get("input_resolution", 512 if name.startswith("resnet") else 224)
    if name.startswith("densenet") and (stated or "-" not in name):
        network: nn.Module = models.DenseNet(
            num_classes=len(outputs), in_channels=1, **models.get_densenet_params(name.partition("-")[0])
        )
    elif name.startswith("resnet") and (stated or "-" not in name):
        from torchvision.models import get_model

        network = get_model(name.partition("-")[0], weights=None, num_classes=len(outputs))
        network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    else:
        known = ", ".join(key for key in models.model_urls if "-" in key)
        raise UsageError(f"torchxrayvision has no network {name!r}; expected one of {known}")
    shares = stated.get("op_threshs", [])
    named = tuple(label for label, share in zip(outputs, shares, strict=False) if not isnan(share))
    how = Preprocessing(crop="centre", crop_margin=0.0, mean=(0.5, 0.5, 0.5), std=(PIXEL, PIXEL, PIXEL))
    facts = Facts(
        outputs,
        replace_sides(how, side),
        channels=1,
        abnormal=() if asked.outputs else named or outputs,
        thresholds=() if asked.outputs else tuple(map(_logit, shares)),
        own_input=_torchxrayvision_input(side),
    )
    return Source(network, facts, stated.get("weights_url", ""))


def _logit(share: float) -> float:
    return 0.0 if isnan(share) else log(share / (1 - share))


def _torchxrayvision_input(side: int) -> OwnInput:
    from torchxrayvision import datasets

    crop, resize = datasets.XRayCenterCrop(), datasets.XRayResizer(side, engine="cv2")
    return lambda pixels: np.asarray(resize(crop(datasets.normalize(pixels, 255)[None])), np.float32)


def from_timm(name: str, asked: Asked) -> Source:
    """A network of timm by its name, e.g. resnet50 or densenet121.tv_in1k."""
    import timm

    if not timm.is_model(name.partition(".")[0]):
        near = ", ".join(timm.list_models(f"*{name.partition('.')[0][:6]}*")[:8]) or "see timm.list_models()"
        raise UsageError(f"timm has no network {name!r}; expected one of its names, e.g. {near}")
    more: dict[str, Any] = {"num_classes": len(asked.outputs)} if asked.outputs else {}
    network = timm.create_model(name, pretrained=False, **more, **asked.settings)
    config = timm.data.resolve_model_data_config(network)
    if asked.size:
        config["input_size"] = (config["input_size"][0], asked.size, asked.size)
    how = Preprocessing(mean=tuple(config["mean"]), std=tuple(config["std"]))
    how = _cropped(
        replace_sides(how, *config["input_size"][1:]), config["crop_pct"], config["crop_mode"] == "squash"
    )
    transform = timm.data.create_transform(**config, is_training=False)
    outputs = asked.outputs or tuple(str(number) for number in range(network.num_classes))
    address = network.pretrained_cfg.get("url", "") or ""
    facts = Facts(outputs, how, config["input_size"][0], own_input=_pillow_input(transform))
    return Source(network, facts, address)


def from_torchvision(name: str, asked: Asked) -> Source:
    """A network of torchvision by its name, e.g. resnet18."""
    from torchvision import models

    if name not in models.list_models(module=models):
        raise UsageError(
            f"torchvision has no network {name!r}; expected one of {', '.join(models.list_models())[:400]}"
        )
    usual = models.get_model_weights(name).DEFAULT
    preset = usual.transforms()
    more: dict[str, Any] = {"num_classes": len(asked.outputs)} if asked.outputs else {}
    network = models.get_model(name, weights=None, **more, **asked.settings)
    how = Preprocessing(mean=tuple(preset.mean), std=tuple(preset.std))
    how = replace_sides(how, asked.size or preset.crop_size[0])
    how = _cropped(how, preset.crop_size[0] / preset.resize_size[0], is_whole=False)
    outputs = asked.outputs or tuple(str(label) for label in usual.meta["categories"])
    transform = None if asked.size else _pillow_input(preset)
    return Source(network, Facts(outputs, how, own_input=transform), usual.url)


def from_class(name: str, asked: Asked) -> Source:
    """A class of one's own, PACKAGE.MODULE.CLASS; its code is run, so only give what you trust."""
    module, _, found = name.rpartition(".")
    if not module:
        raise UsageError(f"{name!r} names no class; expected MODULE.CLASS, e.g. module:my_network.Net")
    if asked.code is not None:
        sys.path.insert(0, str(asked.code.resolve()))
    try:
        kind = getattr(import_module(module), found)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise UsageError(f"there is no module {module}; name the folder it lies in with --code") from error
    except AttributeError as error:
        raise UsageError(f"module {module} has no class {found}") from error
    try:
        network = kind(**asked.settings)
    except TypeError as error:
        raise UsageError(
            f"{name} cannot be made so ({error}); give what it asks for with --set NAME=VALUE"
        ) from error
    if not isinstance(network, nn.Module):
        raise ModelError(f"{name} gives a {type(network).__name__}; expected a torch.nn.Module")
    first = next((layer for layer in network.modules() if isinstance(layer, nn.Conv2d)), None)
    channels = 3 if first is None else first.in_channels
    return Source(network, Facts(asked.outputs, replace_sides(Preprocessing(), asked.size or 224), channels))


KINDS: dict[str, Callable[[str, Asked], Source]] = {
    "torchxrayvision": from_torchxrayvision,
    "timm": from_timm,
    "torchvision": from_torchvision,
    "module": from_class,
}
LIBRARIES = KINDS.keys() - {"module"}  # which have the name of their kind


def replace_sides(how: Preprocessing, height: int, width: int | None = None) -> Preprocessing:
    """For an input of another size; contrast is equalised at that size, so a film is shrunk once."""
    hw = (height, width or height)
    return replace(how, input_hw=hw, working_hw=hw)


def _cropped(how: Preprocessing, share: float, is_whole: bool) -> Preprocessing:
    """Shrink to a larger size and cut the middle out, as a cut from the film: `share` of its shorter side."""
    return replace(how, crop="film") if is_whole else replace(how, crop="centre", crop_margin=(1 - share) / 2)


def _pillow_input(transform: Callable[[Any], Any]) -> OwnInput:
    from torchvision.transforms.functional import to_pil_image

    def own(pixels: GreyPixels) -> NDArray[np.float32]:
        return np.asarray(transform(to_pil_image(pixels).convert("RGB")), np.float32)

    return own


def output_names(names: Sequence[str], count: int) -> tuple[str, ...]:
    """Names of all outputs, numbers where none are known.

    Raises:
        ModelError: there are more or fewer names than outputs.
    """
    if names and len(names) != count:
        raise ModelError(
            f"the network has {count} outputs, and {len(names)} names ({', '.join(names[:10])}) are given"
        )
    usual = {1: ("abnormal",), 2: ("normal", "abnormal")}
    return tuple(names) or usual.get(count) or tuple(str(number) for number in range(count))
