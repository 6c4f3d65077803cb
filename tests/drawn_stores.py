"""Output folders as scans leave them, with drawn films and pictures, made without a network."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from cxr_runtime.files import STORE_FILE
from cxr_runtime.heat.overlay import heat_layer, thumbnail_jpeg
from cxr_runtime.identity import Identity
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_jpeg
from cxr_runtime.placement import Placement
from cxr_runtime.store.rows import FinishedFilm, Place, StoredPicture, StoredScore
from cxr_runtime.store.writer import StoreWriter
from drawn_exhibits import HEAT_THRESHOLD, LUNGS, RUN, THRESHOLD

PRINT = "fingerprint"
HW = (96, 80)


@dataclass(frozen=True)
class Drawn:
    """A film of a drawn scan; its bytes are known by its name, unless another is given."""

    file: str
    probability: float | None = 0.7  # None: it could not be read
    film: str = ""  # equal for films of the same bytes
    finished: str = "2026-01-02T03:04:05+00:00"
    threshold: float = THRESHOLD
    sha256: str = ""  # of its bytes, where it is to be this one
    side: int = 64  # of the network's input: the smaller, the more of the film has heat
    features: tuple[int, ...] = ()  # what a network saw in it
    patient: str = ""  # "": nothing is kept of whose it is
    studied: str = ""  # date of the examination
    born: str = ""  # date
    name: str = ""  # of the patient
    issuer: str = ""  # of the patient's ID
    stamp: str = ""  # of its file, where that is there
    fingerprint: str = PRINT  # of what decided its row, the model first of all


def write_store(folder: Path, *runs: Sequence[Drawn], has_ended: bool = True) -> Path:
    """Put scans into an output folder, one after the other; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with StoreWriter.open(folder) as store:
        for films in runs:
            run = store.begin_run()
            for position, film in enumerate(films, start=1):
                place = Place(position, film.file, film.stamp or f"stamp of {film.file}")
                known = store.known_by_bytes(place, _digest(film), film.fingerprint)
                store.add(run, [known or _finished(place, film)], film.fingerprint)
            if has_ended:
                store.end_run(run, replace(RUN, inputs=(films[0].file,)))
    return folder


def _digest(film: Drawn) -> str:
    if film.sha256:
        return film.sha256
    return "" if film.probability is None else sha256((film.film or film.file).encode()).hexdigest()


def _finished(place: Place, film: Drawn) -> FinishedFilm:
    if film.probability is None:
        outcome = Outcome(film.file, "", Status.FAILED, "read-stalled", "the file did not come")
        return FinishedFilm(
            place, StoredScore(outcome, None, None, None, film.finished), size=9, is_lasting=False
        )
    triage = Triage.FLAGGED if film.probability >= film.threshold else Triage.NOT_FLAGGED
    outcome = Outcome(
        film.file, _digest(film), Status.SCORED, "", "", film.probability, triage, film.threshold, "balanced",
        "PA", 0.9, "default", "cd" * 32, "onnxruntime-cpu", 0.05,
    )  # fmt: skip
    pixels, heat = draw_phantom(3, hw=HW), np.eye(3, dtype=np.float32)
    picture = StoredPicture(
        encode_jpeg(pixels),
        Placement(HW, (0.0, 0.0, float(HW[1]), float(HW[0])), (film.side, film.side)),
        heat,
        LUNGS,
        thumbnail_jpeg(pixels, heat, HEAT_THRESHOLD),
        heat_layer(heat, HW, HEAT_THRESHOLD),
    )
    score, features = StoredScore(outcome, 0.5, 0.5, 0.2, film.finished), bytes(film.features)
    whose = Identity(film.patient, film.name, film.born, film.studied, issuer=film.issuer)
    identity = ("full", whose) if film.patient else None
    return FinishedFilm(place, score, picture, 1000, features=features, identity=identity)


def change(folder: Path, *commands: str) -> None:
    """What somebody with an SQLite shell would do to the store."""
    with closing(sqlite3.connect(folder / STORE_FILE, isolation_level=None)) as db:
        for command in commands:
            db.execute(command)


def ask(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Rows of a query to the store."""
    with closing(sqlite3.connect(folder / STORE_FILE)) as db:
        return db.execute(query).fetchall()
