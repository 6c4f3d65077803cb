"""A film's DICOM results as files below the output folder: made while the film is in hand, then noted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmwrite

from cxr_runtime.access import Access
from cxr_runtime.atomic import file_stamp, write_bytes
from cxr_runtime.files import DICOM_FOLDER
from cxr_runtime.film import GreyPixels
from cxr_runtime.heat.overlay import overlay
from cxr_runtime.outcome import Outcome
from cxr_runtime.reports.dicom import document, secondary_capture, structured_report
from cxr_runtime.reports.dicom.settings import Settings, derived_uid
from cxr_runtime.reports.dicom.source import SourceFilm
from cxr_runtime.reports.exhibit import Picture
from cxr_runtime.reports.pdf.film_document import film_document
from cxr_runtime.store.objects import NO_STUDY, MadeObject

SHA_DIGITS = 24  # of the film's sha256, by which its files are named: never by a patient, nor by its own name
KINDS = (secondary_capture.KIND, document.KIND, structured_report.KIND)


@dataclass(frozen=True)
class ScoredFilm:
    """A film with all that its results show."""

    source: SourceFilm
    preview: GreyPixels  # (H, W) uint8, the film at reading size
    heat: NDArray[np.float32]  # (h, w) over the whole film, in its colour range
    picture: Picture  # for the page
    owner: tuple[str, ...]  # lines on the page that say whose film it is; none unless that is wanted


@dataclass(frozen=True)
class ResultFiles:
    """Writes results below one output folder."""

    out: Path
    settings: Settings
    access: Access
    kinds: frozenset[str] = frozenset(kind.name for kind in KINDS)  # that are made

    def uids(self, film: SourceFilm) -> dict[str, str]:
        """SOP Instance UID of each kind of result that is made."""
        names = (kind.name for kind in KINDS if kind.name in self.kinds)
        return {name: self.settings.uid(name, film.uid, film.outcome) for name in names}

    def write(
        self, film: ScoredFilm, made_before: Callable[[str], datetime | None]
    ) -> tuple[tuple[MadeObject, str], ...]:
        """Write a film's objects, durably: the store alone could not make them again.

        Args:
            film: scored, and with a study of its own.
            made_before: when an object of a UID was first made.

        Returns:
            Each object, and the stamp of its file.

        Raises:
            OSError: the disk is full, or fails.
        """
        source, now = film.source, datetime.now().astimezone().replace(microsecond=0)
        noted = []
        for kind, uid in self.uids(source).items():
            made = made_before(uid) or now
            path = self.out / DICOM_FOLDER / file_name(source.outcome.sha256, kind)
            write_bytes(path, _file(self._object(kind, film, made)), self.access)
            noted.append(self._noted(uid, source, kind, path, made))
        return tuple(noted)

    def _object(self, kind: str, film: ScoredFilm, made: datetime) -> Dataset:
        source, settings = film.source, self.settings
        facts = settings.facts
        if kind == secondary_capture.KIND.name:
            outlines = film.picture.lung_outlines if settings.lung_outline else ()
            shown = overlay(
                film.preview, film.heat, facts.heat_threshold, outlines, facts.presentation.colours
            )
            return secondary_capture.secondary_capture(source, shown, settings, made)
        if kind == structured_report.KIND.name:
            return structured_report.structured_report(source, film.heat, settings, made)
        page = film_document(source.outcome, film.picture, settings.facts, made, source.uid, film.owner)
        return document.encapsulated_page(source, page, settings, made)

    def _noted(
        self, uid: str, film: SourceFilm, kind: str, path: Path, made: datetime
    ) -> tuple[MadeObject, str]:
        shown = f"{DICOM_FOLDER}/{path.name}"
        sha256, digest = film.outcome.sha256, self.settings.digest
        return MadeObject(uid, sha256, digest, kind, shown, made.isoformat()), file_stamp(path)


def no_study(outcome: Outcome, settings: Settings) -> MadeObject:
    """The note that a film has no study to put results into."""
    uid = derived_uid(NO_STUDY, outcome.sha256, settings.digest)
    now = datetime.now().astimezone().replace(microsecond=0)
    return MadeObject(uid, outcome.sha256, settings.digest, NO_STUDY, "", now.isoformat())


def file_name(sha256: str, kind: str) -> str:
    """Name of a film's result."""
    return f"{sha256[:SHA_DIGITS]}-{kind}.dcm"


def _file(ds: Dataset) -> bytes:
    """The object as a file (PS3.10)."""
    file = BytesIO()
    dcmwrite(file, ds, enforce_file_format=True)
    return file.getvalue()
