"""How often a damaged film gets a score, and how often a wrong one: `cxr-triage lab damage`."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from random import Random

import cv2
import numpy as np

from cxr_runtime.backends.choose import open_engine
from cxr_runtime.backends.engine import Engine
from cxr_runtime.backends.registry import REFERENCE
from cxr_runtime.benchmark.damaged_films import CODINGS, DAMAGES, Guard
from cxr_runtime.errors import FilmError, UsageError
from cxr_runtime.film import Film, GreyPixels
from cxr_runtime.gate import Gate
from cxr_runtime.lungs import lung_field
from cxr_runtime.markdown import markdown_table
from cxr_runtime.model.folder import DEFAULT_MODEL, Model, open_model
from cxr_runtime.model.preprocessing import normalise, place, prepare
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.progress import Progress
from cxr_runtime.reading import read_film

SAME_SCORE = 1.0  # points; a score that differs by more is wrong
DRAWN_HW = (768, 640)  # rows and columns of a drawn film
FILMS_DRAWN = 16
TOGETHER = 10  # damages of one film in one coding


@dataclass(frozen=True)
class DamageOptions:
    """What to damage."""

    films: Path | None = None  # folder of films; None: drawn ones
    count: int = 2000  # damaged films
    seed: int = 1
    workers: int = 2  # processes


@dataclass(frozen=True)
class _Task:
    coding: str
    film: Path | int  # a file, or the number of a drawn film
    damages: tuple[tuple[str, int], ...]  # kind and seed


@dataclass(frozen=True)
class DamageCount:
    """What became of damaged films of one coding."""

    damaged: int
    refused: int
    within: int  # scored within 1 point of the sound film
    wrong: int  # scored otherwise


def measure_damage(options: DamageOptions, progress: Progress) -> dict[str, DamageCount]:
    """Damage films of every coding at random places, and read and score them as a scan does.

    Args:
        options: which films, and how many.
        progress: told of every ten films.

    Returns:
        Counts by coding, in the order of `CODINGS`.

    Raises:
        UsageError: the folder holds no film that is scored.
    """
    tasks = list(_tasks(options))
    found: dict[str, Counter[str]] = {coding: Counter() for coding in CODINGS}
    progress.begin("damaging films", len(tasks))
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for task, ends in zip(tasks, pool.map(_ends, tasks), strict=True):
            found[task.coding].update(ends)
            progress.advance()
    progress.end()
    return {
        coding: DamageCount(counts.total(), counts["refused"], counts["within"], counts["wrong"])
        for coding, counts in found.items()
    }


def damage_table(counts: dict[str, DamageCount]) -> str:
    """The counts as a table in markdown; codings that have nothing against damage come last."""
    rows = []
    for is_guarded in (True, False):
        chosen = {
            coding: count
            for coding, count in counts.items()
            if is_guarded != (CODINGS[coding].guard is Guard.NONE)
        }
        rows += [(coding, CODINGS[coding].guard.value, *_cells(count)) for coding, count in chosen.items()]
        rows.append(("**these together**", "", *_cells(*chosen.values())))
    rows.append(("**all**", "", *_cells(*counts.values())))
    head = ("coding", "known by", "damaged", "refused", "within 1 point", "wrong", "wrong, %")
    return markdown_table(head, rows, "llrrrrr")


def _cells(*counts: DamageCount) -> tuple[str, ...]:
    damaged, wrong = sum(count.damaged for count in counts), sum(count.wrong for count in counts)
    refused, within = sum(count.refused for count in counts), sum(count.within for count in counts)
    share = f"{100 * wrong / damaged:.1f}" if damaged else ""
    return f"{damaged}", f"{refused}", f"{within}", f"{wrong}", share


def _tasks(options: DamageOptions) -> Iterator[_Task]:
    """Every coding as often as the others, every kind of damage in turn."""
    random, kinds = Random(options.seed), list(DAMAGES)
    films: list[Path | int] = list(range(FILMS_DRAWN))
    if options.films is not None:
        films = [path for path in sorted(options.films.rglob("*")) if path.is_file()]
    if not films:
        raise UsageError(f"there is no film in {options.films}; give a folder of sound films")
    for number in range(0, options.count, TOGETHER):
        coding = list(CODINGS)[number // TOGETHER % len(CODINGS)]
        kind = number // TOGETHER // len(CODINGS)
        together = range(min(TOGETHER, options.count - number))
        damages = tuple((kinds[(kind + one) % len(kinds)], random.randrange(1 << 30)) for one in together)
        yield _Task(coding, random.choice(films), damages)


def _ends(task: _Task) -> list[str]:
    """What becomes of each damaged film: refused, within or wrong."""
    cv2.setNumThreads(1)
    sound = CODINGS[task.coding].encode(_pixels(task.film))
    film = read_film(sound)
    score = _score(film)
    return [_end(DAMAGES[kind](sound, Random(seed)), film, score) for kind, seed in task.damages]


def _pixels(film: Path | int) -> GreyPixels:
    return draw_phantom(film, hw=DRAWN_HW) if isinstance(film, int) else read_film(film.read_bytes()).pixels


def _end(content: bytes, sound: Film, score: float) -> str:
    try:
        film = read_film(content)
        if np.array_equal(film.pixels, sound.pixels) and film.facts == sound.facts:
            return "within"
        return "within" if abs(_score(film) - score) <= SAME_SCORE else "wrong"
    except FilmError:
        return "refused"


@cache
def _model() -> tuple[Model, Engine]:
    model = open_model(DEFAULT_MODEL, allow_uncalibrated=True)
    return model, open_engine(model, REFERENCE, batch_size=1, threads=1)


@cache
def _gate() -> Gate:
    return Gate(lung_field())


def _score(film: Film) -> float:
    """Score 0..100 of one film, through the gate and all that follows in a scan."""
    model, engine = _model()
    how = model.manifest.preprocessing
    admission = _gate().admit(film)
    placement = place(film.hw, admission.lungs.box_film_xyxy, how)
    inputs = prepare(admission.film.pixels, placement, how, admission.lungs)
    normal, abnormal = engine.run(normalise(inputs[None], how)).logits[0]
    margin = np.array([float(abnormal) - float(normal)])
    return 100 * float(model.calibration.probability(margin)[0])
