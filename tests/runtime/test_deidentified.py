"""The table of PS3.15 E.1-1, element by element: nothing of it stays in a copy with its value."""

import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom import DataElement, Dataset, Sequence, dcmread
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.filebase import DicomBytesIO
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cxr_runtime.deidentified import KEPT, KEPT_IN_ITEMS, Remains, elements_of_copy
from cxr_runtime.dicom_elements import file_start
from cxr_runtime.identity import Identity, StudyHeader
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pseudonyms import Stranger
from cxr_runtime.reading.dicom.remains import remains_of
from dicom_files import dicom_dataset, write_dataset

SECRET = "SECRET"
VALUES = {  # by VR, what stands for a value that must go
    "DA": "19610203", "TM": "101112", "DT": "19610203101112", "AS": "065Y", "UI": "1.2.3.99", "IS": "4711",
    "DS": "47.11", "US": 4711, "UL": 4711, "FL": 47.11, "FD": 47.11, "CS": SECRET, "OB": SECRET.encode(),
    "OW": SECRET.encode(), "UN": SECRET.encode(), "AT": 0x00100010, "OF": SECRET.encode() + b"  ",
}  # fmt: skip


def tags() -> list[int]:
    """Those of the table that name one element."""
    names = [name for name in dir(table) if name.endswith("_TAGS") and name != "ALL_TAGS"]
    listed = [tag for name in names for tag in getattr(table, name)]
    return sorted({(tag[0] << 16) | tag[1] for tag in listed if len(tag) == 2 and tag[0] >= 8})


def film_of_everything() -> Dataset:
    ds = dicom_dataset(draw_phantom(1, hw=(64, 64)))
    for tag in tags():
        if not keyword_for_tag(tag):
            continue
        vr = dictionary_VR(tag).split(" or ")[-1]
        if vr == "SQ":
            item = Dataset()
            item.PatientName, item.CodeMeaning = SECRET, SECRET
            ds.add(DataElement(tag, "SQ", Sequence([item])))
        else:
            ds.add(DataElement(tag, vr, VALUES.get(vr, SECRET)))
    ds.private_block(0x0029, "MAKER", create=True).add_new(1, "LO", SECRET)
    ds.add_new(0x60003000, "OW", SECRET.encode())
    ds.add_new(0x50003000, "OW", SECRET.encode())
    ds.PixelData = draw_phantom(1, hw=(64, 64)).tobytes()
    ds["PixelData"].VR = "OB"
    return ds


def copied(content: bytes) -> Dataset:
    remains = remains_of(content)
    uid, before, after = elements_of_copy(remains, "ab" * 32, Stranger(b"key", False))
    pixels = content[remains.pixels_at : remains.pixels_at + remains.pixels_length]
    start = file_start(remains.header.value("SOPClassUID"), uid, remains.syntax)
    return dcmread(DicomBytesIO(start + before + pixels + after))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_no_value_of_the_table_stays(syntax: UID) -> None:
    content = write_dataset(film_of_everything(), syntax)
    film, copy = dcmread(DicomBytesIO(content)), copied(content)
    assert len(tags()) > 600
    of_ours = {tag_for_keyword(name) for name in ("DeidentificationMethod",)}
    left = [
        (element.keyword, element.value)
        for element in copy
        if element.tag in tags() and element.value and element.tag not in of_ours
        and (element.VR != "UI" or element.value == film[element.tag].value)
    ]  # fmt: skip
    assert left == []
    assert SECRET not in str(copy)
    assert not any(element.tag.is_private or element.tag.group >= 0x5000 for element in copy[:0x7FE00000])


def test_what_stays_is_not_in_the_table() -> None:
    assert set(tags()).isdisjoint(KEPT)
    assert set(tags()).isdisjoint(KEPT_IN_ITEMS)


def test_codes_and_look_up_tables_stay_and_nothing_else_of_their_items() -> None:
    ds = film_of_everything()
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "399348003", "SCT", "postero-anterior"
    code.ContextUID, code.TextValue = "1.2.3", SECRET
    ds.ViewCodeSequence = Sequence([code])
    (view,) = copied(write_dataset(ds)).ViewCodeSequence
    assert [element.keyword for element in view] == ["CodeValue", "CodingSchemeDesignator", "CodeMeaning"]


@pytest.mark.parametrize(
    "elements",
    [((0x00100010, "PN", ""),), ((0x00280010, "LO", ""),), ((0x00280011, "US", ""), (0x00280010, "US", ""))],
)
def test_what_a_reading_process_must_not_say_is_refused(elements: tuple[tuple[int, str, str], ...]) -> None:
    remains = remains_of(write_dataset(film_of_everything()))
    header = StudyHeader((), Identity())
    with pytest.raises(ValueError, match=r"not stay|out of order"):
        Remains(remains.syntax, remains.encoding, elements, "OW", 0, 0, False, header)
