from pathlib import Path

import pytest
import torch

from cxr_train.data.split import SplitPlan
from cxr_train.run import cross_validate, train
from drawn_data_sets import write_data_set
from tiny_training import short_recipe, tiny_recipe

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data_set(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def finished_run(data_set: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "tiny"
    train(run, [data_set], tiny_recipe(), SplitPlan(shares=(0.5, 0.2, 0.3)), cache=cache)
    return run


@pytest.fixture(scope="session")
def teacher_folds(data_set: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-validation of three folds, which sees films at another size than tiny_recipe does."""
    out = tmp_path_factory.mktemp("teachers")
    recipe = short_recipe(preprocessing={"input_hw": [64, 64], "working_hw": [80, 80], "clahe_clip": 2.0})
    cross_validate(out, [data_set], recipe, SplitPlan(folds=3, validated=False), cache=cache)
    return out
