import numpy as np
import torch
from torch import nn

from cxr_train.explain.channels import activations, montage, signed_grey, strongest, unsigned_grey
from cxr_train.networks import Architecture, build_network


def test_white_is_positive_black_is_negative_and_grey_is_no_answer() -> None:
    scaled = signed_grey(np.array([[[4.0, -2.0, 0.0]], [[-1.0, 0.5, 0.0]], [[0.0, 0.0, 0.0]]], np.float32))
    np.testing.assert_allclose(scaled, [[[1, 0.25, 0.5]], [[0, 0.75, 0.5]], [[0.5, 0.5, 0.5]]])


def test_after_relu_each_channel_reaches_white_if_it_answers() -> None:
    scaled = unsigned_grey(np.array([[[4.0, 1.0]], [[0.0, 0.0]]], np.float32))
    np.testing.assert_allclose(scaled, [[[1.0, 0.25]], [[0.0, 0.0]]])


def test_the_strongest_channel_has_the_strongest_activation() -> None:
    channels = np.zeros((3, 2, 2), np.float32)
    channels[0], channels[2, 1, 1] = 0.9, 1.0
    assert strongest(channels) == 2


def test_a_montage_holds_every_channel_in_order() -> None:
    greys = np.arange(5, dtype=np.float32)[:, None, None] / np.float32(10)
    sheet = montage(np.broadcast_to(greys, (5, 2, 3)))
    assert sheet.shape == (5, 11)
    np.testing.assert_allclose(sheet[0, [0, 4, 8]], [0, 0.1, 0.2])
    np.testing.assert_allclose(sheet[3, [0, 4]], [0.3, 0.4])


def test_activations_are_taken_before_the_relu_changes_them() -> None:
    network = build_network(Architecture("custom", (64, 64), (4, 4, 4, 4, 4), head=(4,))).eval()
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    answer = activations(network, "features.conv1", image)
    conv1 = network.features[0]
    assert isinstance(conv1, nn.Conv2d)
    np.testing.assert_allclose(answer.before_relu, conv1(image)[0].detach().numpy(), atol=1e-6)
    assert answer.before_relu.min() < 0
    np.testing.assert_array_equal(answer.after_relu, np.maximum(answer.before_relu, 0))


def test_activations_of_a_normalised_layer_are_those_that_relu_sees() -> None:
    network = build_network(Architecture("edge", (64, 64), (4, 4, 4, 4, 4))).eval()
    norm = network.get_submodule("features.norm5")
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        norm.bias.copy_(torch.tensor([-9.0, 0.0, 1.0, 2.0]))
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    answer = activations(network, "features.conv5", image)
    np.testing.assert_allclose(answer.after_relu, network(image).conv5[0].detach().numpy(), atol=1e-6)
