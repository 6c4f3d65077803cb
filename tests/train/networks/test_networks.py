import pytest
import torch
from torch import nn

from cxr_runtime.errors import UsageError
from cxr_runtime.placement import CellGrid
from cxr_train.networks import NETWORKS, Architecture, build_network
from cxr_train.networks.custom import LocalResponseNorm
from cxr_train.networks.evidence import START_GAIN, Evidence
from cxr_train.networks.lite import own_name
from cxr_train.networks.network import Network


def on_paper(name: str, side: int | None = None) -> Network:
    """A network without weights: shapes alone."""
    hw = (side, side) if side else NETWORKS[name].preprocessing.input_hw
    with torch.device("meta"):
        return build_network(Architecture(name, hw))


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_custom_has_the_195_6_million_parameters_of_the_paper_s_layers() -> None:
    convolutions = (3 * 49 + 1) * 96 + (96 * 9 + 1) * 128 + (128 * 9 + 1) * 256 + 2 * (256 * 9 + 1) * 256
    connected = (256 * 13 * 13 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 2
    assert parameters(on_paper("custom")) == convolutions + connected == 195_603_202


def multiplications(name: str) -> int:
    network, counts = on_paper(name), list[int]()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(
                lambda layer, _, output: (
                    counts.append(layer.weight.numel() * output[0, 0].numel())
                    if isinstance(layer, nn.Conv2d)
                    else counts.append(layer.weight.numel())
                )
            )
    network(torch.zeros(1, 3, *NETWORKS[name].preprocessing.input_hw, device="meta"))
    return sum(counts)


def test_lite_costs_less_than_squeezenet() -> None:
    assert multiplications("lite") < multiplications("squeezenet")


def test_lite_s_weights_are_found_by_their_published_names() -> None:
    assert own_name("_conv_stem.weight") == "features.stem.convolution.weight"
    assert own_name("_bn0.running_mean") == "features.stem.normalisation.running_mean"
    assert own_name("_blocks.0._bn1.bias") == "features.block1.sift.normalisation.bias"
    assert own_name("_blocks.9._expand_conv.weight") == "features.block10.widen.convolution.weight"
    own = on_paper("lite").state_dict()
    parts = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")
    blocks = {own_name(f"_blocks.{block}.{part}.weight") for block in range(1, 10) for part in parts}
    assert len(blocks) == 54
    assert blocks <= set(own)
    assert own_name("_fc.weight") not in own


def test_lite_pads_behind_a_picture_where_its_stride_is_2() -> None:
    network = build_network(Architecture("lite", (64, 64))).eval()
    assert network.cells == CellGrid(15.5, 16.0)
    assert network.features(torch.zeros(1, 3, 64, 64)).shape == (1, 112, 4, 4)


def test_edge_costs_a_tenth_of_custom() -> None:
    assert multiplications("edge") < multiplications("custom") / 10


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_gives_two_logits_and_a_conv5_of_the_channels_it_states(name: str) -> None:
    network = on_paper(name)
    outputs = network(torch.zeros(3, 3, *NETWORKS[name].preprocessing.input_hw, device="meta"))
    assert outputs.logits.shape == (3, 2)
    assert outputs.conv5.shape[:2] == (3, network.conv5_channels)
    assert network.get_submodule(network.conv5_layer) is list(network.features)[-1]
    assert network.get_submodule(network.new_layer)


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        (
            "alexnet",
            {"features.0": (64, 3, 11, 11), "features.10": (256, 256, 3, 3), "classifier.4": (4096, 4096)},
        ),
        ("vgg16", {"features.28": (512, 512, 3, 3), "classifier.0": (4096, 25088)}),
        ("vgg19", {"features.34": (512, 512, 3, 3), "classifier.3": (4096, 4096)}),
        ("squeezenet", {"features.12.expand3x3": (256, 64, 3, 3), "classifier.1": (2, 512, 1, 1)}),
    ],
)
def test_layers_are_called_as_torchvision_calls_them(name: str, layers: dict[str, tuple[int, ...]]) -> None:
    weights = on_paper(name).state_dict()
    assert {layer: tuple(weights[f"{layer}.weight"].shape) for layer in layers} == layers


@pytest.mark.parametrize(
    ("name", "published"), [("alexnet", 61_100_840), ("vgg16", 138_357_544), ("vgg19", 143_667_240)]
)
def test_transferred_networks_have_their_published_size_less_998_classes(name: str, published: int) -> None:
    assert parameters(on_paper(name)) == published - 998 * 4097


def test_filters_kernel_and_depth_of_the_head_can_be_chosen_where_the_layout_is_ours() -> None:
    architecture = Architecture("custom", (64, 64), (8, 8, 8, 8, 8), 5, head=(16,))
    outputs = build_network(architecture)(torch.zeros(2, 3, 64, 64))
    assert outputs.logits.shape == (2, 2)


def test_a_layout_fixed_by_published_weights_cannot_be_changed() -> None:
    with pytest.raises(UsageError, match="cannot be chosen for vgg16"):
        build_network(Architecture("vgg16", kernel=5))


def test_an_unknown_network_or_head_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="custom, alexnet"):
        build_network(Architecture("resnet"))
    with pytest.raises(UsageError, match="findings"):
        build_network(Architecture("edge", (64, 64), heads=("colour",)))


@pytest.mark.parametrize("head", ["view", "site"])
def test_the_heads_of_view_and_site_turn_their_gradient_round(head: str) -> None:
    network = build_network(Architecture("edge", (48, 48), heads=(head,)))
    conv5 = torch.rand(1, network.conv5_channels, 3, 3, requires_grad=True)
    network.heads[head](conv5)[0, 0].backward()
    linear = network.heads[head].get_submodule("linear")
    assert isinstance(linear, nn.Linear)
    assert conv5.grad is not None
    torch.testing.assert_close(conv5.grad[0, :, 0, 0], -linear.weight[0].detach() / 9)


def test_evidence_pools_the_same_cells_that_boxes_teach() -> None:
    network = build_network(
        Architecture("squeezenet", (64, 64), pool="evidence", heads=("heat", "findings"))
    ).eval()
    assert set(network.heads) == {"findings"}
    outputs = network(torch.rand(2, 3, 64, 64))
    assert outputs.logits.shape == (2, 2)
    assert outputs.auxiliary["heat"].shape == (2, *outputs.conv5.shape[2:])
    outputs.auxiliary["heat"].sum().backward()
    before = outputs.logits.detach()
    with torch.no_grad():
        network.get_parameter(f"{network.evidence_layer}.bias").add_(1.0)
        after = network.classify(outputs.conv5)
    torch.testing.assert_close(after - before, torch.tensor([[-0.25, 0.25]]).expand(2, 2))


def test_one_hot_cell_moves_evidence_further_than_an_average_would() -> None:
    evidence = Evidence(1, 0.0).eval()
    nn.init.zeros_(evidence.linear.weight)
    nn.init.constant_(evidence.local.conv.weight, 1.0)
    cold, hot = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    hot[0, 0, 3, 3] = 8.0
    with torch.no_grad():
        margins = [float(logits[1] - logits[0]) for logits in (evidence(cold)[0], evidence(hot)[0])]
    assert margins[1] - margins[0] > START_GAIN * 6 > START_GAIN * 8 / 64


def test_each_channels_strongest_cell_can_count_beside_its_average() -> None:
    plain, strongest = Evidence(1, 0.0).eval(), Evidence(1, 0.0, strongest=True).eval()
    strongest.load_state_dict(plain.state_dict(), strict=False)
    assert strongest.strongest is not None
    nn.init.constant_(strongest.strongest.weight, 2.0)
    conv5 = torch.zeros(1, 1, 8, 8)
    conv5[0, 0, 3, 3] = 8.0
    with torch.no_grad():
        torch.testing.assert_close(strongest(conv5) - plain(conv5), torch.full((1, 2), 2.0 * 8.0 / 4))


def test_a_network_that_cannot_pool_by_evidence_says_so() -> None:
    with pytest.raises(UsageError, match="edge cannot pool by 'evidence'"):
        build_network(Architecture("edge", (48, 48), pool="evidence"))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("alpha", [1e-4, 0.5])
def test_it_is_torch_s_own(size: int, alpha: float) -> None:
    x = 20 * torch.randn(2, 7, 5, 4, generator=torch.Generator().manual_seed(0))
    ours, theirs = LocalResponseNorm(size, alpha, 0.75, 2.0), nn.LocalResponseNorm(size, alpha, 0.75, 2.0)
    torch.testing.assert_close(ours(x), theirs(x))


def test_energy_beyond_half_precision_does_not_overflow() -> None:
    x = torch.full((1, 5, 1, 1), 1000.0, dtype=torch.float16)
    assert torch.isfinite(LocalResponseNorm()(x)).all()
