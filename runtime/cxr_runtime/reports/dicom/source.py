"""What every DICOM result has in common: the film's patient and study, the device that made it, its dates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pydicom import Dataset, FileMetaDataset
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian

from cxr_runtime.dicom_elements import MANUFACTURER
from cxr_runtime.film import FilmFacts
from cxr_runtime.identity import COPIED, EQUIPMENT, PATIENT_AND_STUDY, StudyHeader
from cxr_runtime.outcome import Outcome
from cxr_runtime.reports import wording
from cxr_runtime.reports.dicom.settings import Settings, derived_uid

IMPLEMENTATION_UID = UID(derived_uid("implementation"))
EMPTY_WHERE_MISSING = (  # type 2 in the Patient and General Study modules (PS3.3 C.7.1.1, C.7.2.1)
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "ReferringPhysicianName", "StudyID", "AccessionNumber",
)  # fmt: skip
LONGEST_LO = 64  # characters of a value of representation LO (PS3.5 6.2)


@dataclass(frozen=True)
class SourceFilm:
    """The film that results are made of, and beside which they will stand."""

    header: StudyHeader  # names its study, its series, its class and itself
    facts: FilmFacts
    outcome: Outcome  # its row; scored

    @property
    def uid(self) -> str:
        """Its SOP Instance UID."""
        return self.header.value("SOPInstanceUID")

    def reference(self) -> Dataset:
        """An item that refers to it (PS3.3, table 10-11); of several frames the first is read."""
        item = Dataset()
        item.ReferencedSOPClassUID = self.header.value("SOPClassUID")
        item.ReferencedSOPInstanceUID = self.uid
        if self.facts.frames > 1:
            item.ReferencedFrameNumber = 1
        item.PurposeOfReferenceCodeSequence = Sequence(
            [code("121322", "DCM", "Source image for image processing operation")]
        )
        return item


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """An item of a code sequence (PS3.3 8)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


@dataclass(frozen=True)
class Kind:
    """One kind of result."""

    name: str  # sc, pdf or sr
    sop_class: str
    modality: str
    series_number: int
    word: str  # of the series


def describe(ds: Dataset, kind: Kind, film: SourceFilm, settings: Settings, made: datetime) -> None:
    """Fill in what all results share, in place of anything that stands there.

    Args:
        ds: the result; its own modules are filled in by others.
        kind: of the result.
        film: that it is made of.
        settings: that decide it.
        made: when it was made for the first time.
    """
    copy(ds, film.header, PATIENT_AND_STUDY)
    for keyword in EMPTY_WHERE_MISSING:
        if keyword not in ds or not film.header.value(keyword):
            setattr(ds, keyword, None)
    if film.header.value("PatientIdentityRemoved") == "YES" and "DeidentificationMethod" not in ds:
        ds.DeidentificationMethod = "As of the source image"
    ds.SOPClassUID, ds.SOPInstanceUID = kind.sop_class, settings.uid(kind.name, film.uid, film.outcome)
    ds.SeriesInstanceUID = settings.uid(f"{kind.name} series", film.uid, film.outcome)
    ds.SeriesNumber, ds.InstanceNumber, ds.Modality = kind.series_number, 1, kind.modality
    ds.SeriesDescription = f"{kind.word}: {wording.NOT_FOR_DIAGNOSIS.lower()}"[:LONGEST_LO]
    ds.SeriesDate = ds.ContentDate = ds.InstanceCreationDate = f"{made:%Y%m%d}"
    ds.SeriesTime = ds.ContentTime = ds.InstanceCreationTime = f"{made:%H%M%S}"
    ds.Manufacturer, ds.ManufacturerModelName = MANUFACTURER, settings.facts.model[:LONGEST_LO]
    ds.SoftwareVersions = [settings.facts.product[:LONGEST_LO], f"model {film.outcome.model_sha256[:12]}"]
    contributed = _device_of(film.header)
    if contributed is not None:
        ds.ContributingEquipmentSequence = Sequence([contributed])
    elif "ContributingEquipmentSequence" in ds:
        del ds.ContributingEquipmentSequence
    ds.file_meta = _meta(ds)


def copy(ds: Dataset, header: StudyHeader, keywords: Iterable[str]) -> None:
    """Copy elements of the film byte for byte, so that they mean the same in the same character set."""
    for keyword in keywords:
        value = header.value(keyword).encode("latin-1")
        if value:
            ds[Tag(tag_for_keyword(keyword) or 0)] = _raw(keyword, value)


def _raw(keyword: str, value: bytes) -> RawDataElement:
    vr = COPIED[keyword]
    padded = value + (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
    tag = Tag(tag_for_keyword(keyword) or 0)
    return RawDataElement(tag, vr, len(padded), padded, 0, False, True)


def _device_of(header: StudyHeader) -> Dataset | None:
    """The device that made the film (PS3.3 C.12.1.1.5); None where the film does not name it."""
    if not header.value("Manufacturer"):
        return None
    item = Dataset()
    copy(item, header, EQUIPMENT)
    item.PurposeOfReferenceCodeSequence = Sequence([code("109101", "DCM", "Acquisition Equipment")])
    return item


def _meta(ds: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID, meta.ImplementationVersionName = IMPLEMENTATION_UID, "CXR-TRIAGE"
    return meta


def burned_in(film: SourceFilm) -> str:
    """Burned In Annotation of a picture of the film: our own text names nobody, the film's may."""
    return "YES" if film.header.value("BurnedInAnnotation") == "YES" else "NO"
