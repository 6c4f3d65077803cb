"""The film's page of the PDF report as an encapsulated PDF (PS3.3 A.45.1)."""

from datetime import datetime

from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EncapsulatedPDFStorage

from cxr_runtime.identity import IdentityKind
from cxr_runtime.reports import wording
from cxr_runtime.reports.dicom.settings import Settings
from cxr_runtime.reports.dicom.source import Kind, SourceFilm, burned_in, code, describe

KIND = Kind("pdf", EncapsulatedPDFStorage, "DOC", 9802, "Report page")


def encapsulated_page(film: SourceFilm, page: bytes, settings: Settings, made: datetime) -> Dataset:
    """Make the object.

    Args:
        film: whose page it is.
        page: the PDF.
        settings: that decide it.
        made: when it was made for the first time.
    """
    ds = Dataset()
    describe(ds, KIND, film, settings, made)
    ds.ConversionType = "WSD"  # workstation (PS3.3 C.8.6.1)
    ds.AcquisitionDateTime = None
    ds.BurnedInAnnotation = "YES" if settings.facts.identity == IdentityKind.FULL else burned_in(film)
    ds.SourceInstanceSequence = Sequence([film.reference()])
    ds.DocumentTitle = f"Chest film, ranked by suspicion: {wording.NOT_FOR_DIAGNOSIS.lower()}"
    ds.ConceptNameCodeSequence = Sequence([code("126000", "DCM", "Imaging Measurement Report")])
    ds.VerificationFlag = "UNVERIFIED"
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocument = page + b"\0" * (len(page) % 2)
    ds.EncapsulatedDocumentLength = len(page)
    return ds
