from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import save_file

from cxr_runtime.errors import UsageError
from cxr_runtime.model.folder import DEFAULT_MODEL, MODELS_FOLDER
from cxr_train.loop import starting_weights as published
from cxr_train.loop.starting_weights import origin, start_from
from cxr_train.networks import Architecture, Network, build_network


def squeezenet() -> Network:
    return build_network(Architecture("squeezenet", (64, 64)))


def torchvision_weights(seed: int = 0) -> dict[str, torch.Tensor]:
    """A random state dict laid out as torchvision's squeezenet1_1, with its 1000 classes."""
    generator = torch.Generator().manual_seed(seed)
    weights = {
        name: torch.randn(t.shape, generator=generator) for name, t in squeezenet().state_dict().items()
    }
    weights["classifier.1.weight"] = torch.randn(1000, 512, 1, 1, generator=generator)
    weights["classifier.1.bias"] = torch.randn(1000, generator=generator)
    return weights


VGG = {
    "vgg16": (64, 64, "pool", 128, 128, "pool", *(256,) * 3, "pool", *(512,) * 3, "pool", *(512,) * 3),
    "vgg19": (64, 64, "pool", 128, 128, "pool", *(256,) * 4, "pool", *(512,) * 4, "pool", *(512,) * 4),
}  # filters of each 3 x 3 convolution; a ReLU follows each


def torchvision_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight in torchvision's state dict of alexnet, vgg16 or vgg19."""
    layers: dict[str, tuple[int, ...]] = {}
    if name == "alexnet":
        layers |= {"features.0": (64, 3, 11, 11), "features.3": (192, 64, 5, 5)}
        layers |= {"features.6": (384, 192, 3, 3), "features.8": (256, 384, 3, 3)}
        layers |= {"features.10": (256, 256, 3, 3)}
        layers |= {"classifier.1": (4096, 256 * 6 * 6), "classifier.4": (4096, 4096)}
        layers |= {"classifier.6": (1000, 4096)}
    else:
        place, channels = 0, 3
        for filters in VGG[name]:
            if isinstance(filters, int):
                layers[f"features.{place}"] = (filters, channels, 3, 3)
                place, channels = place + 1, filters
            place += 1
        layers |= {"classifier.0": (4096, 512 * 7 * 7), "classifier.3": (4096, 4096)}
        layers |= {"classifier.6": (1000, 4096)}
    weights = {f"{layer}.weight": shape for layer, shape in layers.items()}
    return weights | {f"{layer}.bias": shape[:1] for layer, shape in layers.items()}


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "vgg19"])
def test_a_random_state_dict_in_torchvision_s_layout_reaches_every_layer_but_the_last(
    name: str, tmp_path: Path
) -> None:
    """One random value a weight, as these networks have up to 144 million."""
    generator = torch.Generator().manual_seed(3)
    weights = {
        weight: torch.rand(1, generator=generator).expand(shape)
        for weight, shape in torchvision_shapes(name).items()
    }
    torch.save(weights, tmp_path / "random.pth")
    network = build_network(Architecture(name))
    start_from(network, name, str(tmp_path / "random.pth"))
    loaded = network.state_dict()
    assert set(loaded) == set(weights)
    for weight, tensor in loaded.items():
        is_new = weight.startswith("classifier.6.")
        assert torch.equal(tensor, weights[weight][: len(tensor)]) is not is_new, weight


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".npz"])
def test_a_torchvision_state_dict_is_loaded_but_for_its_last_layer(suffix: str, tmp_path: Path) -> None:
    weights, path = torchvision_weights(), tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(weights, path)
    elif suffix == ".npz":
        np.savez(path, allow_pickle=False, **{name: tensor.numpy() for name, tensor in weights.items()})
    else:
        save_file(weights, path)
    network = squeezenet()
    fresh = network.state_dict()["classifier.1.weight"].clone()
    told = start_from(network, "squeezenet", str(path))
    assert told.startswith("weights (sha256 ")
    loaded = network.state_dict()
    assert all(torch.equal(loaded[name], weights[name]) for name in loaded if name.startswith("features"))
    assert torch.equal(loaded["classifier.1.weight"], fresh)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    weights = torchvision_weights()
    weights["features.0.weight"] = torch.zeros(96, 3, 7, 7)
    save_file(weights, tmp_path / "other.safetensors")
    with pytest.raises(UsageError, match=r"features\.0\.weight is missing or of another shape"):
        start_from(squeezenet(), "squeezenet", str(tmp_path / "other.safetensors"))


def test_a_file_that_is_no_weights_is_named(tmp_path: Path) -> None:
    for name in ("x.pth", "x.safetensors", "x.npz", "x.onnx"):
        (tmp_path / name).write_bytes(b"no weights")
        with pytest.raises(UsageError, match=rf"{name} cannot be read \(it is damaged, or holds something"):
            start_from(squeezenet(), "squeezenet", str(tmp_path / name))
    torch.save(squeezenet(), tmp_path / "whole.pth")
    with pytest.raises(UsageError, match=r"whole.pth cannot be read \([^(]*\); expected a state") as refused:
        start_from(squeezenet(), "squeezenet", str(tmp_path / "whole.pth"))
    assert "weights_only" not in str(refused.value)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".npz", ".onnx"])
def test_a_file_of_weights_that_is_not_there_is_named(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read \((No such file|the file is not)"):
        start_from(squeezenet(), "squeezenet", str(tmp_path / f"x{suffix}"))


def test_published_weights_with_another_hash_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.save(torchvision_weights(), tmp_path / "checkpoints" / "squeezenet1_1-b8a52dc0.pth")
    with pytest.raises(UsageError, match=r"damaged: sha256 .* expected b8a52dc0"):
        start_from(squeezenet(), "squeezenet", "published")


def test_without_a_network_connection_a_local_file_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(published, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(published, "download_url_to_file", fail)
    with pytest.raises(UsageError, match="--start FILE"):
        start_from(squeezenet(), "squeezenet", "published")


def test_a_network_of_our_own_has_no_published_weights() -> None:
    with pytest.raises(UsageError, match="no published weights for edge"):
        start_from(build_network(Architecture("edge", (48, 48))), "edge", "published")


def test_a_run_can_be_started_from(finished_run: Path) -> None:
    from cxr_train.checkpoint import load_checkpoint

    trained, config = load_checkpoint(finished_run)
    network = build_network(config.recipe.architecture)
    assert start_from(network, "edge", str(finished_run)) == "run tiny"
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), trained.parameters(), strict=True))


def test_a_local_copy_with_another_hash_than_its_name_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "squeezenet1_1-b8a52dc0.safetensors"
    save_file(torchvision_weights(), path)
    with pytest.raises(UsageError, match=r"damaged: sha256 .* expected b8a52dc0"):
        start_from(squeezenet(), "squeezenet", str(path))


@pytest.mark.parametrize(
    ("starting_weights", "cell"),
    [
        ("scratch", "scratch"),
        ("net_imagenet (sha256 b968)", "net_imagenet"),
        (
            "run second, begun from run first, begun from net_imagenet (sha256 b968)",
            "second, from net_imagenet",
        ),
        ("run own", "own"),
        ("run second/fold-0, begun from run first, begun from net (sha256 b968)", "second, from net"),
    ],
)
def test_a_cell_names_the_last_run_and_the_first_weights(starting_weights: str, cell: str) -> None:
    assert origin(starting_weights) == cell


def test_an_exported_model_can_be_started_from_its_classifier_included(tmp_path: Path) -> None:
    architecture, file = Architecture("squeezenet", (224, 224), pool="evidence"), tmp_path / "model.onnx"
    shipped = build_network(architecture).state_dict()
    weights = [
        onnx.numpy_helper.from_array(each.numpy(), f"network.{name}") for name, each in shipped.items()
    ]
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "export", [], [], weights)), file)
    network = build_network(architecture)
    assert start_from(network, "squeezenet", str(file)).startswith("model (sha256 ")
    for name in ("features.0.weight", "classifier.evidence.gain", "classifier.evidence.linear.bias"):
        torch.testing.assert_close(network.state_dict()[name], shipped[name], rtol=0, atol=0)


def test_an_export_that_holds_batch_normalisation_in_its_convolutions_is_refused() -> None:
    network = build_network(Architecture("lite", (192, 192), pool="evidence"))
    with pytest.raises(UsageError, match="give the run that it was made of"):
        start_from(network, "lite", str(MODELS_FOLDER / DEFAULT_MODEL / "model.onnx"))
