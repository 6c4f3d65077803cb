"""The overlay as a Secondary Capture image (PS3.3 A.8.1), in colour and uncompressed."""

from datetime import datetime

from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import SecondaryCaptureImageStorage

from cxr_runtime.heat.overlay import RgbPixels
from cxr_runtime.identity import FILM
from cxr_runtime.reports import wording
from cxr_runtime.reports.dicom.caption import captioned
from cxr_runtime.reports.dicom.settings import Settings
from cxr_runtime.reports.dicom.source import Kind, SourceFilm, burned_in, copy, describe

KIND = Kind("sc", SecondaryCaptureImageStorage, "OT", 9801, "Heat map")
_LOSSY = tuple(keyword for keyword in FILM if keyword.startswith("LossyImage"))


def secondary_capture(film: SourceFilm, overlay: RgbPixels, settings: Settings, made: datetime) -> Dataset:
    """Make the object.

    Args:
        film: that it shows.
        overlay: (H, W, 3) uint8, the film with its heat.
        settings: that decide it.
        made: when it was made for the first time.
    """
    ds = Dataset()
    describe(ds, KIND, film, settings, made)
    pixels = captioned(overlay, film.outcome, settings.facts)
    ds.ConversionType = "WSD"  # workstation (PS3.3 C.8.6.1)
    ds.ImageType = ["DERIVED", "SECONDARY"]
    copy(ds, film.header, ("BodyPartExamined",))
    if not film.facts.turned_back:  # else it states the sides of another picture than this
        copy(ds, film.header, ("PatientOrientation",))
    if "PatientOrientation" not in ds:
        ds.PatientOrientation = None
    ds.BurnedInAnnotation = burned_in(film)
    ds.DerivationDescription = derivation(film, settings)
    ds.SourceImageSequence = Sequence([film.reference()])
    ds.ImageComments = f"{wording.NOT_FOR_DIAGNOSIS}. {wording.heat_notice(settings.facts)}"
    if film.header.value("LossyImageCompression") == "01":  # once lossy, for ever so (PS3.3 C.7.6.1.1.5)
        copy(ds, film.header, _LOSSY)
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    content = pixels.tobytes()
    ds.PixelData = content + b"\0" * (len(content) % 2)
    ds["PixelData"].VR = "OB"
    return ds


def derivation(film: SourceFilm, settings: Settings) -> str:
    """What was done to the film, for Derivation Description."""
    facts, turn = settings.facts, film.facts.turned_back
    turned = f"It lay turned by {turn} degrees clockwise in its file and was turned back. " if turn else ""
    return (
        f"{wording.NOT_FOR_DIAGNOSIS}. {turned}Shrunk to at most 1024 pixels a side; "
        f"heat of a neural network ({facts.model} {facts.model_sha256[:12]}, {facts.heat_method}) laid over "
        f"it in colour from {facts.heat_threshold:.2f} on; bands of text above and below. "
        f"Made by {facts.product}."
    )
