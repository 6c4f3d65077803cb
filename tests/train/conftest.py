from pathlib import Path

import pytest
import torch

from cxr_train.data.split import SplitPlan
from cxr_train.run import train
from drawn_data_sets import write_data_set
from tiny_training import tiny_recipe

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
