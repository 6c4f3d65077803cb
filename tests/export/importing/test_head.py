import numpy as np
import pytest

from cxr_export.importing.head import stated_head
from cxr_export.importing.head_fit import fit_head
from cxr_runtime.errors import UsageError

CONV5 = np.zeros((2, 3, 2, 2), np.float32)


def test_two_outputs_are_normal_and_abnormal_and_one_is_abnormal() -> None:
    said = np.array([[1, 4], [2, 0]], np.float32)
    np.testing.assert_array_equal(stated_head(["normal", "abnormal"], []).logits(said, CONV5), said)
    one = stated_head(["abnormal"], []).logits(said[:, 1:], CONV5)
    np.testing.assert_array_equal(one[:, 1] - one[:, 0], [4, 0])


def test_of_two_outputs_the_one_that_is_called_abnormal_counts_and_the_sentence_says_so() -> None:
    said = np.array([[1, 4], [2, 0]], np.float32)
    assert stated_head(["normal", "abnormal"], []).said == "abnormal against normal"
    for names in (["abnormal", "healthy"], ["sick", "Normal"], ["abnormal", "normal"]):
        head = stated_head(names, [])
        assert head.said == f"{names[0]} against {names[1]}"
        np.testing.assert_array_equal(head.logits(said, CONV5), said[:, ::-1])


def test_before_a_softmax_all_abnormal_outputs_count_together_against_the_others() -> None:
    rng = np.random.default_rng(0)
    said = rng.normal(0, 3, (6, 3)).astype(np.float32) + rng.normal(0, 90, (6, 1)).astype(np.float32)
    shares = np.exp(said - said.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    head = stated_head(["normal", "pneumonia", "tb"], ["tb", "pneumonia", "2"], exclude_each_other=True)
    assert head.said == "pneumonia or tb against normal"
    logits = head.logits(said, CONV5)
    np.testing.assert_allclose(
        logits[:, 1] - logits[:, 0], np.log((shares[:, 1] + shares[:, 2]) / shares[:, 0]), atol=1e-3
    )
    with pytest.raises(UsageError, match="would mean abnormal, and the network ends in a softmax"):
        stated_head(["pneumonia", "tb"], ["0", "1"], exclude_each_other=True)


def test_of_many_findings_the_highest_counts_above_its_makers_threshold() -> None:
    said = np.array([[3, 1, 9], [0, 2, 9]], np.float32)
    names = ["Edema", "Mass", "Hernia"]
    head = stated_head(names, ["Edema", "1"], thresholds=(1.0, 0.5, 0.0))
    assert head.said == "the highest of Edema, Mass above its maker's threshold"
    logits = head.logits(said, CONV5)
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], [2.0, 1.5])


def test_nobody_guesses_which_outputs_mean_abnormal() -> None:
    with pytest.raises(UsageError, match=r"has 3 outputs .* name those that mean abnormal with --abnormal"):
        stated_head(["a", "b", "c"], [])
    with pytest.raises(UsageError, match="no output 'Oedema'; expected some of Edema, Mass"):
        stated_head(["Edema", "Mass", "Hernia"], ["Oedema"])


def test_a_head_is_fitted_and_measured_on_patients_it_has_not_seen() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    taken = rng.normal(0, 1, (120, 30)).astype(np.float32)
    taken[:, 3] += 2 * labels
    fitted = fit_head(taken, labels, [f"p{number // 2}" for number in range(120)], of_map=False)
    assert 0.7 < fitted.auc.value < 0.95
    logits = fitted.head.logits(taken, CONV5)
    margin = logits[:, 1] - logits[:, 0]
    assert margin[labels == 1].mean() > margin[labels == 0].mean() + 1
    assert np.abs(fitted.head.weights[1]).argmax() == 3
    with pytest.raises(UsageError, match="10 normal and 10 abnormal films are too few"):
        fit_head(taken[:20], labels[:20], ["p"] * 20, of_map=False)


def test_a_channel_that_hardly_ever_moves_gets_no_large_weight() -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(120) % 2
    taken = rng.normal(0, 1, (120, 10)).astype(np.float32)
    taken[:, 0] += labels
    taken[:, 4] = 1e-4 * (labels + rng.normal(0, 1, 120))  # less than FP16 tells apart
    head = fit_head(taken, labels, [str(number) for number in range(120)], of_map=True).head
    assert np.abs(head.weights).argmax() % 10 == 0
    assert np.abs(head.weights).max() < 2


def test_few_patients_give_a_head_whose_auc_has_no_interval() -> None:
    rng = np.random.default_rng(3)
    labels = np.arange(120) % 2
    taken = rng.normal(0, 1, (120, 5)).astype(np.float32) + labels[:, None]
    fitted = fit_head(taken, labels, [f"p{number % 10}" for number in range(120)], of_map=False)
    assert fitted.head.said.endswith("(too few films)")
