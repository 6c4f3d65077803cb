from pathlib import Path

import cv2
import numpy as np
import pytest

from cxr_runtime.progress import Silence
from cxr_train.data.split import SplitPlan
from cxr_train.loop import briefing
from cxr_train.recipe.recipe import SMALL_SETS_BATCH, Recipe, default_recipe
from cxr_train.run import rehearse
from tiny_training import tiny_recipe

PLAN = SplitPlan(shares=(0.5, 0.2, 0.3))


class Said(Silence):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_a_rehearsal_says_all_and_trains_nothing(data_set: Path, cache: Path, tmp_path: Path) -> None:
    said = Said()
    config = rehearse(tmp_path / "run", [data_set], tiny_recipe(), PLAN, cache=cache, progress=said)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["batch.png"]
    assert config.data.films == 60
    text = "\n".join(said.lines)
    assert "network: edge, input 48 x 48" in text
    assert "epochs: 3 of 3 steps of 8 films; chosen by auc" in text
    assert "loss: label 1, heat 0.5" in text
    assert "varied by: shift 0.06" in text
    picture = cv2.imdecode(np.fromfile(tmp_path / "run" / "batch.png", np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.std() > 30


@pytest.mark.parametrize("has_it", [True, False])
def test_a_recipe_for_a_processor_with_bfloat16_says_where_there_is_none(
    data_set: Path, cache: Path, tmp_path: Path, has_it: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(briefing, "has_bfloat16", lambda: has_it)
    said, recipe = Said(), tiny_recipe(half_on_cpu=True)
    rehearse(tmp_path / "run", [data_set], recipe, PLAN, cache=cache, progress=said)
    assert any("has no bfloat16" in line for line in said.lines) is not has_it


def test_a_small_data_set_is_not_trained_film_by_film() -> None:
    assert Recipe().films_a_step(72) == SMALL_SETS_BATCH
    assert Recipe().films_a_step(3) == 3
    assert Recipe().films_a_step(8000) == 32
    assert Recipe(batch_size=1).films_a_step(72) == 1


def test_no_networks_own_recipe_takes_a_gradient_as_it_comes() -> None:
    assert all(default_recipe(name).clip_norm > 0 for name in ("custom", "squeezenet", "edge"))
