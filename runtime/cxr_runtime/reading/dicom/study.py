"""The part of a header that says whose film it is, read without trust in its types (PS3.3 C.7)."""

import re
import warnings
from dataclasses import replace
from hashlib import sha256

from pydicom import Dataset
from pydicom.charset import convert_encodings, decode_bytes, python_encoding
from pydicom.datadict import dictionary_VM
from pydicom.valuerep import TEXT_VR_DELIMS, PersonName

from cxr_runtime.identity import COPIED, FORMS, MOST_SHOWN, Identity, StudyHeader
from cxr_runtime.names import printable
from cxr_runtime.reading.dicom.file import data_set
from cxr_runtime.reading.dicom.header import raw_value

LONGEST = {"SH": 16, "LO": 64}  # characters of a value (PS3.5 6.2)
ISSUER_DIGITS = 12  # of its digest
LONGEST_GROUP = 64  # characters of each of the three groups of a person's name
_DATE = re.compile("([0-9]{4})([0-9]{2})([0-9]{2})")


def study_header(content: bytes) -> StudyHeader:
    """Read whose film a DICOM file is; a value that its element does not allow counts as missing.

    Args:
        content: the whole file, which was read as a film before.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they quote values, and may end in a log
        ds = data_set(content)
        encodings = _encodings(ds)
        values: dict[str, str] = {}
        for keyword, vr in COPIED.items():
            raw = raw_value(ds, keyword).content.rstrip(b"\0 ")
            if keyword in ds and _is_allowed(keyword, vr, raw, encodings):
                values[keyword] = raw.decode("latin-1")
        shown = _shown(values, encodings)
        return StudyHeader.of(values, shown if shown.issuer else replace(shown, issuer=_odd_issuer(ds)))


def _encodings(ds: Dataset) -> list[str]:
    """Python's names of the character sets (PS3.3 C.12.1.1.2); the default one where a name is not known."""
    stated = raw_value(ds, "SpecificCharacterSet").content.decode("latin-1").rstrip("\0 ")
    named = [name.strip() for name in stated.split("\\")]
    return convert_encodings(named if set(named) <= set(python_encoding) else [""])


def _is_allowed(keyword: str, vr: str, raw: bytes, encodings: list[str]) -> bool:
    text = raw.decode("latin-1")
    if not FORMS[vr].fullmatch(text):
        return False
    if keyword == "SpecificCharacterSet":
        return {name.strip() for name in text.split("\\")} <= set(python_encoding)
    decoded = _decoded(raw, encodings)  # in some character sets a backslash is half of a letter
    if dictionary_VM(keyword) == "1" and "\\" in decoded:
        return False
    if vr == "PN":
        return all(len(group) <= LONGEST_GROUP for group in decoded.split("="))
    if vr in LONGEST:
        return all(len(value) <= LONGEST[vr] for value in decoded.split("\\"))
    return True


def _decoded(raw: bytes, encodings: list[str]) -> str:
    """Text as people see it; bytes that its character set does not have become marks."""
    return decode_bytes(raw, encodings, TEXT_VR_DELIMS)


def _shown(values: dict[str, str], encodings: list[str]) -> Identity:
    def text(keyword: str) -> str:
        return printable(_decoded(values.get(keyword, "").encode("latin-1"), encodings))[:MOST_SHOWN]

    name = PersonName(values.get("PatientName", "").encode("latin-1"), encodings)
    return Identity(
        patient=text("PatientID"),
        name=printable(_spelt(name))[:MOST_SHOWN],
        born=_date(values.get("PatientBirthDate", "")),
        studied=_date(values.get("StudyDate", "")),
        accession=text("AccessionNumber"),
        study=values.get("StudyInstanceUID", ""),
        series=values.get("SeriesInstanceUID", ""),
        instance=values.get("SOPInstanceUID", ""),
        issuer=text("IssuerOfPatientID"),
    )


def _odd_issuer(ds: Dataset) -> str:
    """A digest of an issuer that no header may state, such as a long one: patients of two are still two."""
    raw = raw_value(ds, "IssuerOfPatientID").content.rstrip(b"\0 ")
    return f"#{sha256(raw).hexdigest()[:ISSUER_DIGITS]}" if raw else ""


def _spelt(name: PersonName) -> str:
    """A name as people write it, `Family, Given`; other spellings follow in brackets (PS3.5 6.2.1.2)."""
    ways = []
    for group in name.components:
        family, _, others = group.partition("^")
        given = " ".join(others.replace("^", " ").split())
        ways.append(", ".join(part for part in (family.strip(), given) if part))
    first, *more = [way for way in ways if way] or [""]
    return first + "".join(f" ({way})" for way in more)


def _date(stated: str) -> str:
    found = _DATE.fullmatch(stated)
    return "-".join(found.groups()) if found else ""
