import numpy as np
import torch

from cxr_runtime.model.preprocessing import normalise
from cxr_train.explain.channels import answer_of
from cxr_train.explain.maximisation import LOGITS, Maximisation, maximise
from cxr_train.networks import build_network
from tiny_training import tiny_recipe

HOW = tiny_recipe().preprocessing
torch.manual_seed(0)
NETWORK = build_network(tiny_recipe().architecture).eval()


def answer(
    picture: "np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]", layer: str, channel: int
) -> float:
    inputs = np.concatenate([normalise(picture[None, :, :, c], HOW)[:, c : c + 1] for c in range(3)], axis=1)
    with torch.inference_mode():
        return float(answer_of(NETWORK, layer, torch.from_numpy(inputs))[0, channel].mean())


def test_a_filter_answers_more_to_what_was_grown_for_it() -> None:
    start, grown = (
        maximise(NETWORK, "features.conv3", [1], HOW, Maximisation(steps=steps))[0] for steps in (1, 40)
    )
    assert answer(grown, "features.conv3", 1) > answer(start, "features.conv3", 1)


def test_pictures_have_the_input_s_size_and_come_out_the_same_again() -> None:
    twice = [maximise(NETWORK, LOGITS, [0, 1], HOW, Maximisation(steps=3)) for _ in range(2)]
    assert [picture.shape for picture in twice[0]] == [(48, 48, 3)] * 2
    np.testing.assert_array_equal(twice[0], twice[1])
