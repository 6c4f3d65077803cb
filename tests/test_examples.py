"""The films of examples/ are those that examples/draw.py draws."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from cxr_runtime.film import View
from cxr_runtime.reading import read_film
from cxr_runtime.sources.find import find_films

FOLDER = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def draw() -> ModuleType:
    spec = spec_from_file_location("draw_examples", FOLDER / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up here
    spec.loader.exec_module(module)
    return module


def test_every_example_is_a_film_and_nothing_else_is(draw: ModuleType) -> None:
    found = find_films([str(FOLDER)], None)
    assert [Path(source.file).name for source in found.sources] == sorted(
        example.name for example in draw.EXAMPLES
    )


def test_every_example_shows_its_phantom(draw: ModuleType) -> None:
    for example in draw.EXAMPLES:
        film = read_film((FOLDER / example.name).read_bytes())
        difference = np.abs(film.pixels.astype(int) - example.pixels())
        assert difference.mean() < 2, example.name
        assert film.facts.view in (View.UNKNOWN, example.view), example.name


def test_the_examples_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_000_000


def test_writing_them_again_gives_the_same_films(
    draw: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(draw, "FOLDER", tmp_path)
    monkeypatch.setattr(draw, "EXAMPLES", [draw.EXAMPLES[1], draw.EXAMPLES[2], draw.EXAMPLES[10]])
    draw.main()
    for path in tmp_path.iterdir():
        again, kept = (read_film((folder / path.name).read_bytes()) for folder in (tmp_path, FOLDER))
        np.testing.assert_allclose(again.pixels.astype(int), kept.pixels, atol=3)
        assert again.facts == kept.facts
