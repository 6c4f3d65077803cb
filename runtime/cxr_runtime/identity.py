"""Whose film it is: what a film's DICOM header says of patient and study, and how much of that may be kept.

It leaves the process that reads a film only where somebody asked for it, and is checked like all that comes
from there: known elements, limited lengths, no bytes that only attackers write.
"""

import re
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Self

from cxr_runtime.names import printable


class IdentityKind(StrEnum):
    """What `--identity` may name: how much of a patient reports and store know."""

    NONE = "none"
    FULL = "full"
    PSEUDONYM = "pseudonym"


@dataclass(frozen=True)
class Identity:
    """What people know a patient and an examination by; each text one printable line, "" where unknown."""

    patient: str = ""  # Patient ID, or its pseudonym
    name: str = ""
    born: str = ""  # date as 1940-03-05
    studied: str = ""  # date
    accession: str = ""  # Accession Number, or its pseudonym
    study: str = ""  # Study Instance UID, or its pseudonym
    series: str = ""  # Series Instance UID
    instance: str = ""  # SOP Instance UID, or its pseudonym
    issuer: str = ""  # Issuer of Patient ID: who gave it; a pseudonym stands for the ID with its issuer

    def __post_init__(self) -> None:
        """Refuse what no header can say.

        Raises:
            ValueError: a text is too long, or cannot be shown.
        """
        for entry in fields(self):
            text = getattr(self, entry.name)
            if len(text) > MOST_SHOWN or printable(text) != text:
                raise ValueError(f"its {entry.name} cannot be shown")

    @property
    def person(self) -> str:
        """Whose film it is: films with the same text are of one person; "" where that is not known.

        Two hospitals may give the same Patient ID, or somebody mistypes it. So the birth date goes with it,
        or the name where there is none, of which letters alone count; and its issuer (PS3.3 C.7.1.1), so that
        a film that states none is of no person whose films do.
        """
        if not self.patient:
            return ""
        surest = self.born or " ".join(re.findall(r"\w+", self.name.casefold()))
        return "\t".join((self.patient, surest, self.issuer))  # no text has a tab: each is printable

    @property
    def issued_patient(self) -> str:
        """The Patient ID with its issuer, where one is stated: two issuers may give the same ID."""
        return f"{self.patient}\0{self.issuer}" if self.patient and self.issuer else self.patient


MOST_SHOWN = 400  # characters of a text of an identity; the name of a person may have three of 64
# Elements that are copied, with their value representation (PS3.6): those of the Patient, General Study and
# Patient Study modules that are plain values (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2), ...
PATIENT_AND_STUDY = {
    "SpecificCharacterSet": "CS",
    "StudyDate": "DA",
    "StudyTime": "TM",
    "AccessionNumber": "SH",
    "ReferringPhysicianName": "PN",
    "StudyDescription": "LO",
    "PatientName": "PN",
    "PatientID": "LO",
    "IssuerOfPatientID": "LO",
    "TypeOfPatientID": "CS",
    "PatientBirthDate": "DA",
    "PatientBirthTime": "TM",
    "PatientSex": "CS",
    "OtherPatientNames": "PN",
    "PatientAge": "AS",
    "PatientSize": "DS",
    "PatientWeight": "DS",
    "EthnicGroup": "SH",
    "PatientIdentityRemoved": "CS",
    "DeidentificationMethod": "LO",
    "StudyInstanceUID": "UI",
    "StudyID": "SH",
    "AdmissionID": "LO",
}
# ... those of the device that made the film (PS3.3 C.7.5.1), ...
EQUIPMENT = {
    "Manufacturer": "LO",
    "InstitutionName": "LO",
    "StationName": "SH",
    "ManufacturerModelName": "LO",
    "DeviceSerialNumber": "LO",
    "SoftwareVersions": "LO",
}
# ... and of the film itself.
FILM = {
    "SOPClassUID": "UI",
    "SOPInstanceUID": "UI",
    "SeriesInstanceUID": "UI",
    "BodyPartExamined": "CS",
    "PatientOrientation": "CS",
    "BurnedInAnnotation": "CS",
    "LossyImageCompression": "CS",
    "LossyImageCompressionRatio": "DS",
    "LossyImageCompressionMethod": "CS",
}
COPIED = PATIENT_AND_STUDY | EQUIPMENT | FILM
NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")  # to stand in a study

_DS = r" *[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)? *"
# What a value of each representation may hold, as the Latin-1 text of its bytes (PS3.5 6.2). Text may be in
# any character set: of the controls it has escape alone (PS3.5 6.1.3), and each character at most 4 bytes.
_TEXT = r"[\x1b\x20-\x7e\x80-\xff]"
FORMS = {
    "CS": re.compile(r"[A-Z0-9_ \\]{0,160}"),
    "DA": re.compile(r"([0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01]))?"),
    "TM": re.compile(r"(([01][0-9]|2[0-3])([0-5][0-9](([0-5][0-9]|60)(\.[0-9]{1,6})?)?)?)? *"),
    "AS": re.compile(r"([0-9]{3}[DWMY])?"),
    "DS": re.compile(rf"({_DS}(\\{_DS}){{0,9}})?"),
    "UI": re.compile(r"[0-9][0-9.]{0,63}"),
    "SH": re.compile(_TEXT + "{0,100}"),
    "LO": re.compile(_TEXT + "{0,600}"),
    "PN": re.compile(_TEXT + "{0,1000}"),
}


@dataclass(frozen=True)
class StudyHeader:
    """What results in the film's own study need of its header: bytes as they lie in it."""

    elements: tuple[tuple[str, str], ...]  # keyword of COPIED, and its value's bytes as Latin-1 text
    shown: Identity  # the same for people, decoded where the film was read

    def __post_init__(self) -> None:
        """Refuse what no header holds.

        Raises:
            ValueError: an element is not copied, stands there twice, or has a value of another form.
        """
        if len(dict(self.elements)) != len(self.elements):
            raise ValueError("an element stands there twice")
        for keyword, text in self.elements:
            if keyword not in COPIED or not FORMS[COPIED[keyword]].fullmatch(text):
                raise ValueError(f"{keyword[:40]!r} is not such an element")

    @classmethod
    def of(cls, values: dict[str, str], shown: Identity) -> Self:
        """Of the values of a header, in a fixed order."""
        return cls(tuple((keyword, values[keyword]) for keyword in COPIED if keyword in values), shown)

    @property
    def has_study(self) -> bool:
        """Whether results can stand beside the film: it names its study, series, class and itself."""
        return all(self.value(keyword) for keyword in NEEDED)

    def value(self, keyword: str) -> str:
        """The bytes of an element as Latin-1 text; "" where there is none."""
        return dict(self.elements).get(keyword, "")
