"""What a de-identified copy of a film holds (PS3.15 annex E, the Basic Application Confidentiality Profile).

The table of the profile (E.1-1) names what has to go. Here stands what may stay, and nothing else does: no
private element, no overlay, no comment, no date. None of it is in the table but the UIDs, which are replaced.
"""

from base64 import b64decode
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pydicom.datadict import tag_for_keyword

from cxr_runtime.dicom_elements import Encoding
from cxr_runtime.identity import StudyHeader
from cxr_runtime.pseudonyms import Stranger

# What shows the picture as it is, and says which part of whom it is; by tag, with the VRs it may have.
_KEPT = {
    "CS": (
        "SpecificCharacterSet ImageType Modality ConversionType PresentationIntentType BodyPartExamined"
        " ViewPosition PositionerType DetectorType Laterality ImageLaterality PatientOrientation"
        " PixelIntensityRelationship PhotometricInterpretation BurnedInAnnotation VOILUTFunction"
        " PresentationLUTShape LossyImageCompression LossyImageCompressionMethod"
    ),
    "LO": "Manufacturer RescaleType",
    "DS": (
        "ImagerPixelSpacing PixelSpacing NominalScannedPixelSpacing WindowCenter WindowWidth RescaleIntercept"
        " RescaleSlope LossyImageCompressionRatio"
    ),
    "IS": "SeriesNumber InstanceNumber NumberOfFrames PixelAspectRatio",
    "US": (
        "SamplesPerPixel PlanarConfiguration Rows Columns BitsAllocated BitsStored HighBit"
        " PixelRepresentation"
    ),
    "SS": "PixelIntensityRelationshipSign",
    "US SS": (
        "SmallestImagePixelValue LargestImagePixelValue PixelPaddingValue PixelPaddingRangeLimit"
        " RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor"
        " BluePaletteColorLookupTableDescriptor"
    ),
    "OW": (
        "RedPaletteColorLookupTableData GreenPaletteColorLookupTableData BluePaletteColorLookupTableData"
    ),
    "SQ": "ViewCodeSequence AnatomicRegionSequence ModalityLUTSequence VOILUTSequence",
}  # fmt: skip
# What an item of these sequences may hold.
_KEPT_IN_ITEMS = {
    "SH": "CodeValue CodingSchemeDesignator CodingSchemeVersion",
    "LO": "CodeMeaning ModalityLUTType",
    "US SS": "LUTDescriptor",
    "US SS OW": "LUTData",
}


def _by_tag(listed: dict[str, str]) -> dict[int, frozenset[str]]:
    return {
        int(tag_for_keyword(keyword) or 0): frozenset(vrs.split())
        for vrs, keywords in listed.items()
        for keyword in keywords.split()
    }


KEPT, KEPT_IN_ITEMS = _by_tag(_KEPT), _by_tag(_KEPT_IN_ITEMS)
MOST_BYTES = 1 << 19  # of all elements together; the largest is a look-up table of 131,072
PIXELS, DELIMITER = 0x7FE00010, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
DX = "1.2.840.10008.5.1.4.1.1.1.1"  # Digital X-Ray, whatever it is for
METHOD = "Basic Application Confidentiality Profile; pixels as they came"


@dataclass(frozen=True)
class Remains:
    """What stays of a film's data set; the process that has read it says so, and it is checked."""

    syntax: str  # UID of the transfer syntax
    encoding: Encoding
    elements: tuple[tuple[int, str, str], ...]  # tag, VR and value in base64, by tag; of KEPT alone
    pixels_vr: Literal["OB", "OW"]
    pixels_at: int  # where the value of Pixel Data begins in the film's file
    pixels_length: int  # bytes of it there
    is_encapsulated: bool
    header: StudyHeader  # whose film it is; nothing of it is written as it is

    def __post_init__(self) -> None:
        """Refuse what no film leaves.

        Raises:
            ValueError: an element must go, or stands in a wrong place; or a number is out of range.
        """
        for tag, vr, _ in self.elements:
            if vr not in KEPT.get(tag, ()):
                raise ValueError(f"an element that does not stay: {tag:08x} {vr}")
        if any(one[0] >= other[0] for one, other in pairwise(self.elements)):
            raise ValueError("elements out of order")
        if (
            sum(len(value) for _, _, value in self.elements) > MOST_BYTES
            or min(self.pixels_at, self.pixels_length) < 0
        ):
            raise ValueError("too much")


def elements_of_copy(remains: Remains, sha256: str, stranger: Stranger) -> tuple[str, bytes, bytes]:
    """A copy's data set around its pixels.

    Args:
        remains: of the film.
        sha256: of the film's file; stands for UIDs that it lacks.
        stranger: who it is of.

    Returns:
        Its SOP Instance UID; the data set up to the value of Pixel Data; and what follows that value.
    """
    of, shown = remains.encoding, remains.header.shown
    uid = stranger.uid("instance", shown.instance or sha256)
    is_burned_in = remains.header.value("BurnedInAnnotation").strip() == "YES"
    # "DCM" 113100: the code of the profile (PS3.16, CID 7050)
    code = b"".join(
        of.element(tag, vr, text)
        for tag, vr, text in (
            (0x00080100, "SH", b"113100"),
            (0x00080102, "SH", b"DCM"),
            (0x00080104, "LO", b"Basic Application Confidentiality Profile"),
        )
    )
    ours: dict[int, tuple[str, bytes]] = {
        0x00080016: ("UI", remains.header.value("SOPClassUID").encode("latin-1")),
        0x00080018: ("UI", uid.encode()),
        0x00080020: ("DA", b""), 0x00080030: ("TM", b""),  # study
        0x00080050: ("SH", stranger.text("accession", shown.accession).encode()),
        0x00080090: ("PN", b""),  # referring physician
        0x00100010: ("PN", b""),
        0x00100020: ("LO", stranger.text("patient", shown.issued_patient).encode()),
        0x00100030: ("DA", b""), 0x00100040: ("CS", b""),  # birth, sex
        0x00120062: ("CS", b"NO" if is_burned_in else b"YES"),  # "from the attributes and the pixel data"
        0x00120063: ("LO", METHOD.encode()),
        0x00120064: ("SQ", of.item(code)),
        0x0020000D: ("UI", stranger.uid("study", shown.study or sha256).encode()),
        0x0020000E: ("UI", stranger.uid("series", shown.series or sha256).encode()),
        0x00200010: ("SH", b""),  # study ID
        0x00280303: ("CS", b"REMOVED"),  # Longitudinal Temporal Information Modified
    }  # fmt: skip
    if remains.header.value("SOPClassUID").startswith(DX):
        ours[0x00400555] = "SQ", b""  # Acquisition Context, which has to be there
    kept = {tag: (vr, b64decode(value, validate=True)) for tag, vr, value in remains.elements}
    data_set = b"".join(of.element(tag, *each) for tag, each in sorted((kept | ours).items()))
    length = UNDEFINED if remains.is_encapsulated else remains.pixels_length + remains.pixels_length % 2
    end = of.tag(DELIMITER) + bytes(4) if remains.is_encapsulated else bytes(remains.pixels_length % 2)
    return uid, data_set + of.element(PIXELS, remains.pixels_vr, b"", length), end
