"""Films that no network learns from: two fifths of the patients of the public collections, by a hash.

The *locked* fifth is looked at once a release, by `cxr-triage lab truth`, and never to choose anything. On
the *threshold* fifth the operating points of the network that ships are set. A patient is in the same fifth
in every table that holds films of the collection, whatever their size.
"""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256

from cxr_runtime.errors import UsageError
from cxr_train.data.film import TrainingFilm

COLLECTIONS = ("nih", "nlm", "tbx11k", "guangzhou")  # how patients of public collections are named: `nih:...`
FIFTHS = 5


class Fifth(StrEnum):
    """What a patient's films are for."""

    LOCKED = "locked"
    THRESHOLD = "threshold"
    TRAINING = "training"  # the other three fifths, and everybody who is in no public collection


def fifths_named(names: Sequence[str]) -> tuple[Fifth, ...]:
    """Fifths by their names.

    Raises:
        UsageError: there is none of that name.
    """
    unknown = [name for name in names if name not in list(Fifth)]
    if unknown:
        raise UsageError(f"there is no fifth {unknown[0]!r} of the patients; expected {', '.join(Fifth)}")
    return tuple(dict.fromkeys(map(Fifth, names)))


def fifth_of(patient: str) -> Fifth:
    """The fifth of a patient, e.g. of `nih:00000061`."""
    if patient.split(":", maxsplit=1)[0] not in COLLECTIONS:
        return Fifth.TRAINING
    number = int(sha256(f"a fifth for {patient}".encode()).hexdigest(), 16) % FIFTHS
    return (Fifth.LOCKED, Fifth.THRESHOLD, *[Fifth.TRAINING] * (FIFTHS - 2))[number]


def films_of(films: Sequence[TrainingFilm], *fifths: Fifth) -> tuple[TrainingFilm, ...]:
    """The films whose patients are in one of these fifths."""
    return tuple(film for film in films if fifth_of(film.patient) in fifths)
