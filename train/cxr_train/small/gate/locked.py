"""Which patients a gate learns from, which its weights and its bar are chosen on, and which judge it."""

from enum import StrEnum
from hashlib import sha256

from cxr_runtime.errors import UsageError
from cxr_train.data.fifths import Fifth, fifth_of

LOCKED = 0.5  # share of the patients, and of the pictures that show no chest, that judge
CHOOSING = 0.1  # share on which weights and bars are chosen


class Part(StrEnum):
    """What a patient's films are for."""

    LOCKED = "locked"  # they judge: nothing is learned from them or chosen on them
    CHOOSING = "choosing"
    LEARNING = "learning"


def part_named(name: str) -> Part:
    """A part by its name.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return Part(name)
    except ValueError as error:
        raise UsageError(f"there is no part {name!r}; expected {', '.join(Part)}") from error


def part_of(patient: str) -> Part:
    """The part of a patient, or of a picture that shows none; the same on every machine.

    Those who judge the default model judge the gate as well. The word before the name was chosen so that one
    of the two pictures of whole bodies is learned from, and the other judges.

    Args:
        patient: with collection, e.g. `nih:00000061`.
    """
    digest = sha256(f"gate {patient}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < LOCKED or fifth_of(patient) is Fifth.LOCKED:
        return Part.LOCKED
    return Part.CHOOSING if place < LOCKED + CHOOSING else Part.LEARNING
