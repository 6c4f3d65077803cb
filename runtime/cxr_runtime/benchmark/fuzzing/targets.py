"""What a fuzzer throws its inputs at: every reader of bytes that a stranger may have written."""

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from cxr_runtime.backends.graph.half import half_graph
from cxr_runtime.backends.graph.int8 import symmetric_int8
from cxr_runtime.backends.graph.lrn import rewrite_lrn
from cxr_runtime.benchmark.damaged_films import CODINGS
from cxr_runtime.benchmark.fuzzing import film_seeds, seeds
from cxr_runtime.benchmark.fuzzing.mutations import mutated, with_right_sums
from cxr_runtime.errors import CalibrationError, FilmError, ModelError, StoreError
from cxr_runtime.files import CALIBRATION_FILE, MANIFEST_FILE, STORE_FILE
from cxr_runtime.model.calibration import read_calibration
from cxr_runtime.model.folder import read_manifest
from cxr_runtime.reading import read_film
from cxr_runtime.scanning.answers import Examining
from cxr_runtime.scanning.examination import Examination
from cxr_runtime.sources.archives import list_members
from cxr_runtime.sources.film_source import FileOnDisk, ZipMember
from cxr_runtime.store.picture_notes import PictureNotes
from cxr_runtime.store.rows import Place
from cxr_runtime.store.standing import Standing
from cxr_runtime.store.store import Store
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.workers.answers import Content, Said, read_answer, told

MEMBERS_READ = 8  # of each zip file
_CODE = re.compile("[a-z0-9-]{1,40}")
_TASK = Examination(Place(1, "film.png", ""), FileOnDisk("film.png", Path("film.png")), seeds.HOW)
_STRANGE: tuple[Any, ...] = (
    None, 0, -1, 1, 1 << 62, -(1 << 62), 0.5, 1e308, float("inf"), "", "\u202e\x00", "x" * 5000, "[", "[]",
    "{}", b"", b"\xff" * 100, "scored", "9" * 64,
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One reader."""

    seeds: Callable[[], Sequence[bytes]]  # sound inputs
    read: Callable[[bytes, Path], None]  # reads one input; the folder is empty, or left from the last one
    refusals: tuple[type[Exception], ...]  # the documented ways to refuse one
    change: Callable[[Sequence[bytes], Random], bytes] = mutated


def _read_film(content: bytes, _: Path) -> None:
    film = read_film(content)
    assert film.pixels.dtype == np.uint8, film.pixels.dtype
    assert film.pixels.ndim == 2, film.pixels.shape
    assert film.pixels.size, film.pixels.shape


def _mutated_film(seeds: Sequence[bytes], random: Random) -> bytes:
    content = mutated(seeds, random)
    return with_right_sums(content) if random.random() < 0.75 else content


def _read_zip(content: bytes, folder: Path) -> None:
    path = folder / "night.zip"
    path.write_bytes(content)
    for member in list_members(path)[:MEMBERS_READ]:
        try:
            ZipMember(member.name, path, member).read_bytes()
        except FilmError as error:
            check_refusal(error)


def _read_answer(content: bytes, _: Path) -> None:
    said, got = read_answer(BytesIO(content))
    if said is Said.DONE:
        Examining().decode(got, _TASK)
    else:
        told(got)


def _read_text(content: bytes, _: Path) -> None:
    for whole in seeds.contents():
        try:
            Examining().decode(Content(content, whole.arrays), _TASK)
        except ValueError:
            continue


def _read_manifest(content: bytes, folder: Path) -> None:
    path = folder / MANIFEST_FILE
    path.write_bytes(content)
    read_manifest(path)


def _read_calibration(content: bytes, folder: Path) -> None:
    path = folder / CALIBRATION_FILE
    path.write_bytes(content)
    calibration = read_calibration(path)
    margins = np.linspace(-50.0, 50.0, 101)
    found = calibration.probability(margins)
    assert ((found >= 0) & (found <= 1) & (np.diff(found, prepend=0.0) >= 0)).all(), found
    calibration.operating_point().triage(0.5)


def _rewrite(content: bytes, _: Path) -> None:
    for rewrite in (rewrite_lrn, symmetric_int8, partial(half_graph, magnitudes={})):
        try:
            rewrite(content)
        except ValueError:
            continue


def _read_store(content: bytes, folder: Path) -> None:
    path = folder / STORE_FILE
    for left in folder.glob(f"{STORE_FILE}*"):
        left.unlink()
    path.write_bytes(content)
    _ask_all(folder)
    with StoreWriter.open(folder) as store:
        notes, places = PictureNotes(store), [Place(1, "night/1.png", "1:1:3")]
        notes.note((), notes.stamps(), notes.owed())
        standing = Standing(store, "f" * 64, "", store.begin_run())
        standing.known(standing.block(places), places)


def _ask_all(folder: Path) -> None:
    """Everything that reports, monitoring and a resumed scan ask; each answer may be a refusal."""
    with Store.open(folder) as store:
        run, place = store.last_run(), Place(1, "night/1.png", "1:1:3")
        asked: tuple[Callable[[], object], ...] = (
            lambda: store.facts(run),
            lambda: store.backends(run),
            lambda: list(store.scores(run)),
            lambda: list(store.outcomes(run)),
            lambda: list(store.pictured(run)),
            lambda: store.written("results.csv"),
            lambda: store.known(place, "f" * 64),
            lambda: store.known_by_bytes(place, f"{1:064x}", "f" * 64),
        )
        for ask in asked:
            try:
                ask()
            except StoreError:
                continue


def _with_strange_rows(seeds: Sequence[bytes], random: Random) -> bytes:
    """A store in which a few values are others, as somebody with an SQLite shell would write them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.deserialize(_without_log(random.choice(seeds)))
        db.execute("PRAGMA ignore_check_constraints = ON")
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for _ in range(random.randint(1, 4)):
            table = random.choice(tables)
            column = random.choice([row[1] for row in db.execute(f"PRAGMA table_info({table})")])
            try:
                db.execute(f"UPDATE {table} SET {column} = ?", (random.choice(_STRANGE),))
            except sqlite3.DatabaseError:  # the schema itself refuses it
                continue
        return db.serialize()


def _without_log(store: bytes) -> bytes:
    """Read and write version 1 (SQLite file format, 1.3): a store in memory can have no log beside it."""
    return store[:18] + b"\x01\x01" + store[20:]


def _store_seeds() -> Sequence[bytes]:
    return [seeds.store_seed()]


def check_refusal(error: Exception) -> None:
    """See that a refusal of a film is one that a table can hold.

    Raises:
        AssertionError: it is not.
    """
    if isinstance(error, FilmError):
        assert _CODE.fullmatch(error.code), error.code
        assert error.sentence, error.code


_FILM = (FilmError,)
TARGETS: dict[str, Target] = {
    **{
        coding: Target(partial(film_seeds.film_seeds, coding), _read_film, _FILM, _mutated_film)
        for coding in CODINGS
    },
    "DICOM, HTJ2K": Target(film_seeds.htj2k_seeds, _read_film, _FILM),
    "DICOM, headers": Target(film_seeds.header_seeds, _read_film, _FILM),
    "rasters": Target(film_seeds.raster_seeds, _read_film, _FILM, _mutated_film),
    "zip": Target(film_seeds.zip_seeds, _read_zip, _FILM),
    "answers": Target(seeds.answer_seeds, _read_answer, (EOFError, ValueError)),
    "answers, text": Target(seeds.text_seeds, _read_text, ()),
    "manifest": Target(partial(seeds.json_seeds, MANIFEST_FILE), _read_manifest, (ModelError,)),
    "calibration": Target(
        partial(seeds.json_seeds, CALIBRATION_FILE), _read_calibration, (CalibrationError,)
    ),
    "ONNX rewriting": Target(seeds.graph_seeds, _rewrite, ()),
    "store": Target(_store_seeds, _read_store, (StoreError,)),
    "store rows": Target(_store_seeds, _read_store, (StoreError,), _with_strange_rows),
}
