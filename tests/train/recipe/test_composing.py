from dataclasses import replace
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_train.networks import NETWORKS
from cxr_train.recipe.composing import RECIPES, compose_recipe, parse_setting, recipe_settings
from cxr_train.recipe.recipe import Recipe, default_recipe


def test_custom_is_trained_as_the_paper_says() -> None:
    recipe = compose_recipe(None)
    assert recipe == default_recipe("custom")
    assert (recipe.optimiser, recipe.learning_rate, recipe.l2, recipe.epochs) == ("sgd", 1e-3, 5e-4, 60)
    assert (recipe.schedule, recipe.drops, recipe.select_by) == ("plateau", 3, "accuracy")
    assert recipe.augmentation.shift > 0
    assert recipe.augmentation.flip > 0
    assert recipe.augmentation.rotation == recipe.augmentation.gamma == 0


def test_the_paper_s_800_films_make_15_000_iterations_in_60_epochs() -> None:
    recipe, training_films = compose_recipe("custom"), round(0.7 * 800)
    iterations = 60 * (training_films // recipe.films_a_step(training_films))
    assert iterations == pytest.approx(15_000, rel=0.15)


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "vgg19", "squeezenet"])
def test_transfer_starts_from_published_weights_with_a_faster_new_layer(name: str) -> None:
    recipe = compose_recipe(name)
    assert (recipe.start, recipe.learning_rate, recipe.epochs) == ("published", 1e-3, 60)
    assert recipe.new_layer_factor > 1


@pytest.mark.parametrize("name", NETWORKS)
def test_network_and_films_agree_on_the_input_s_size(name: str) -> None:
    recipe = compose_recipe(name, {"preprocessing.input_hw": [96, 80]})
    assert recipe.architecture.input_hw == recipe.preprocessing.input_hw == (96, 80)


def test_later_changes_win_and_leave_the_rest_alone() -> None:
    recipe = compose_recipe("edge", {"epochs": 5, "augmentation": {"flip": 0.0}}, {"augmentation.gamma": 1})
    assert (recipe.epochs, recipe.augmentation.flip, recipe.augmentation.gamma) == (5, 0.0, 1.0)
    assert recipe.augmentation.rotation == default_recipe("edge").augmentation.rotation


def test_a_place_in_a_list_can_be_set() -> None:
    base = {"architecture": {"network": "custom", "filters": [96, 128, 256, 256, 256]}}
    recipe = compose_recipe(None, base, {"architecture.filters.1": 64})
    assert recipe.architecture.filters == (96, 64, 256, 256, 256)


def test_a_term_brings_its_head_and_weight_0_takes_a_term_away() -> None:
    recipe = compose_recipe("edge", {"terms": {"label": 0.0, "findings": 1.0, "teacher": 0.5}})
    assert recipe.terms == {"findings": 1.0, "teacher": 0.5}
    assert recipe.architecture.heads == ("findings",)
    both = compose_recipe("edge", {"terms": {"overlap": 0.3, "heat": 1.0}})
    assert both.architecture.heads == ("heat",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"learning_rat": 1.0}, "no setting learning_rat; expected"),
        ({"augmentation": {"flop": 1.0}}, r"no setting augmentation\.flop"),
        ({"epochs": 2.5}, "setting epochs is 2.5; expected int"),
        ({"learning_rate": "fast"}, "expected float"),
        ({"preprocessing.input_hw": [64]}, "has 1 values; expected 2"),
        ({"architecture.filters.0": 8}, "state the whole list"),
        ({"schedule": "cosin"}, "setting schedule is 'cosin'; expected one of: plateau, cosine"),
        ({"optimiser": "adam"}, "expected one of: sgd, adamw"),
        ({"select_by": "auroc"}, "expected one of: accuracy, auc, loss, last"),
        ({"balance": ["colour"]}, "setting balance is 'colour'; expected one of: .*view"),
        ({"epochs": 0}, "setting epochs is 0; expected 1 or more"),
        ({"preprocessing.crop": "lungs"}, "preprocessing cannot be used: crop 'lungs' is none of film"),
        ({"preprocessing.input_hw": [5000, 5000]}, r"preprocessing cannot be used: the sizes .* 1\.\.4096"),
        ({"architecture": {"network": "edge"}}, "network custom is asked for, .* names edge; leave one"),
        ({"architecture.network": "edge"}, "network custom is asked for, .* names edge; leave one"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_expected(change: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        compose_recipe("custom", change)


def test_a_network_named_by_a_setting_is_trained_by_its_own_recipe() -> None:
    assert compose_recipe(None, {"architecture.network": "edge"}) == compose_recipe("edge")


def test_a_setting_may_put_another_network_into_a_recipe() -> None:
    base = recipe_settings("default-sites-pretraining")
    recipe = compose_recipe(None, *base, {"architecture.network": "lite"})
    assert recipe.architecture.network == "lite"
    assert recipe.learning_rate == compose_recipe(None, *base).learning_rate


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("epochs=5", {"epochs": 5}),
        ("start = scratch", {"start": "scratch"}),
        ("balance=['label', 'view']", {"balance": ["label", "view"]}),
        ("augmentation.flip=0.5", {"augmentation.flip": 0.5}),
    ],
)
def test_a_setting_of_the_command_line_is_read_as_toml(text: str, setting: dict[str, object]) -> None:
    assert parse_setting(text) == setting


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match="NAME=VALUE"):
        parse_setting("epochs")


def test_any_recipe_survives_json() -> None:
    import json
    from dataclasses import asdict

    from cxr_train.recipe.composing import from_plain

    for name in NETWORKS:
        recipe = default_recipe(name)
        assert from_plain(Recipe, json.loads(json.dumps(asdict(recipe)))) == recipe


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_the_default_model_s_recipes_come_with_the_program_and_fit_each_other(name: str) -> None:
    recipe = compose_recipe(None, *recipe_settings(name))
    first = "default-lite-pretraining" if name.startswith("default-lite") else "default-pretraining"
    pretraining = compose_recipe(None, *recipe_settings(first))
    # All layers but the heads take the weights of the first stage, whatever the size of the input.
    side = pretraining.architecture.input_hw
    fitting = replace(recipe.architecture, input_hw=side, heads=(), pool=None)
    assert fitting == replace(pretraining.architecture, heads=(), pool=None)
    # Films of the later models are brought to one sharpness, some of them from the second stage on.
    assert replace(recipe.preprocessing, input_hw=side, crop="film", detail=0) == replace(
        pretraining.preprocessing, crop="film", detail=0
    )
    assert recipe.select_by == "last"
    assert (
        bool(recipe.terms.get("teacher"))
        == bool(recipe.teacher_weights)
        == (name in ("default", "default-sites", "default-lite"))
    )


def test_a_recipe_changes_the_one_it_is_like(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('like = "default"\nepochs = 3\n')
    recipe, default = (compose_recipe(None, *recipe_settings(name)) for name in (str(own), "default"))
    assert recipe == replace(default, epochs=3)
    assert recipe != default


def test_recipes_that_are_like_each_other_are_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text(f'like = "{other}"')
    other.write_text(f'like = "{one}"')
    with pytest.raises(UsageError, match="like itself"):
        recipe_settings(str(one))


def test_cached_films_cannot_bear_what_teachers_of_a_fold_see() -> None:
    with pytest.raises(UsageError, match=r"cached_augmentations = 8 .* terms\.teacher_heat"):
        compose_recipe("edge", {"cached_augmentations": 8, "frozen_layers": 2, "terms.teacher_heat": 1.0})


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"batch_size": -4}, "setting batch_size is -4; expected 0 or more"),
        ({"seed": -1}, "setting seed is -1; expected 0 or more"),
        ({"ema": 1.5}, "setting ema is 1.5; expected 0 or more, and less than 1"),
        ({"augmentation.jpeg": 200}, "setting augmentation.jpeg is 200; expected 0 or more, and 95 at most"),
        ({"augmentation.blur": -1.0}, "setting augmentation.blur is -1; expected 0 or more"),
        ({"terms.label": float("nan")}, "setting terms.label is nan; expected 0 or more"),
        ({"quotas": {"priest": 1.0}}, "setting quotas is 'priest'; expected one of: radiologist"),
        ({"architecture.filters": [8, 8]}, "architecture.filters is .8, 8.; expected 5 numbers"),
        ({"architecture.dropout": 1.0}, "architecture.dropout is 1.0; expected 0 or more, and less than 1"),
    ],
)
def test_a_number_out_of_its_limits_is_refused(setting: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        compose_recipe("edge", setting)
