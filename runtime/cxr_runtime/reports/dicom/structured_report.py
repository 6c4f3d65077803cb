"""Score, threshold, triage and region of the heat as a structured report (PS3.16, TID 1500)."""

import logging
from collections.abc import Iterator
from datetime import datetime

import numpy as np
from highdicom import sr
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import (
    UID,
    ComprehensiveSRStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from cxr_runtime.dicom_elements import MANUFACTURER
from cxr_runtime.outcome import Triage
from cxr_runtime.reports import wording
from cxr_runtime.reports.dicom.region import hottest_region
from cxr_runtime.reports.dicom.settings import Settings, derived_uid
from cxr_runtime.reports.dicom.source import Kind, SourceFilm, describe

logging.getLogger("highdicom").setLevel(logging.WARNING)  # below, it writes the UIDs of films into logs

KIND = Kind("sr", ComprehensiveSRStorage, "SR", 9803, "Score")
SCHEME = "99CXRTRIAGE"  # our own codes, where no standard has one
POINTS = sr.CodedConcept("{score:0.100}", "UCUM", "score of 0 to 100")
ONE = sr.CodedConcept("1", "UCUM", "no units")
CHEST_XRAY = sr.CodedConcept("399208008", "SCT", "Plain chest X-ray")


def _own(value: str, meaning: str) -> sr.CodedConcept:
    return sr.CodedConcept(value, SCHEME, meaning)


SCORE = _own("score", "Score of suspicion")
THRESHOLD = _own("threshold", "Score from which films are flagged")
TRIAGE = _own("triage", "Triage")
USE = _own("use", "Intended use")
RESEARCH = _own("research", wording.NOT_FOR_DIAGNOSIS)
LARGEST_HEAT = _own("heat", "Highest heat")
SUSPICION = _own("suspicion", "Suspicion of an abnormal film")
HEAT_REGION = _own("region", "Hottest region of the heat map")
TRIAGES = {
    Triage.FLAGGED: _own("flagged", "Flagged"),
    Triage.REVIEW: _own("review", "To review"),
    Triage.NOT_FLAGGED: _own("not-flagged", "Not flagged (this does not clear the film)"),
}


def structured_report(
    film: SourceFilm, heat: NDArray[np.float32], settings: Settings, made: datetime
) -> Dataset:
    """Make the object.

    Args:
        film: that it is about.
        heat: (h, w) float32 in 0..1 over the whole film, upright, in its colour range.
        settings: that decide it.
        made: when it was made for the first time.
    """
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(
            observer_device_context=sr.ObserverContext(codes.DCM.Device, _observer(settings))
        ),
        procedure_reported=CHEST_XRAY,
        imaging_measurements=list(_groups(film, heat, settings)),
    )
    # highdicom sees no patient: what is the film's is copied byte for byte afterwards.
    ds = sr.ComprehensiveSR(
        [_evidence(film)], report[0], "2.25.1", KIND.series_number, "2.25.1", 1, MANUFACTURER,
        is_complete=True, is_final=False,
    )  # fmt: skip
    _name_class(ds, film)
    describe(ds, KIND, film, settings, made)
    ds.CodingSchemeIdentificationSequence = [_scheme()]
    return ds


def _observer(settings: Settings) -> sr.DeviceObserverIdentifyingAttributes:
    facts = settings.facts
    return sr.DeviceObserverIdentifyingAttributes(
        derived_uid("device", facts.product, facts.model_sha256),
        name=facts.product[:64],
        manufacturer_name=MANUFACTURER,
        model_name=facts.model[:64],
        serial_number=facts.model_sha256,
    )


def _groups(
    film: SourceFilm, heat: NDArray[np.float32], settings: Settings
) -> Iterator[sr.MeasurementsAndQualitativeEvaluations | sr.PlanarROIMeasurementsAndQualitativeEvaluations]:
    """One group of the whole film, and one of the hottest region where there is one."""
    outcome, facts = film.outcome, settings.facts
    assert outcome.score is not None
    triage = [] if outcome.triage is None else [sr.QualitativeEvaluation(TRIAGE, TRIAGES[outcome.triage])]
    yield sr.MeasurementsAndQualitativeEvaluations(
        sr.TrackingIdentifier(settings.uid("whole film", film.uid, outcome), "whole film"),
        finding_type=SUSPICION,
        algorithm_id=_algorithm(settings),
        measurements=[
            sr.Measurement(SCORE, round(outcome.score, 2), POINTS),
            sr.Measurement(THRESHOLD, round(100 * facts.threshold, 2), POINTS),
        ],
        qualitative_evaluations=[*triage, sr.QualitativeEvaluation(USE, RESEARCH)],
        source_images=[sr.SourceImageForMeasurementGroup(_stand_in(film), film.uid, _frames(film))],
    )
    as_stored = np.rot90(heat, -(film.facts.turned_back // 90))
    found = hottest_region(as_stored, facts.heat_threshold, film.facts.stored_hw or (1, 1))
    if found is None:
        return
    corners, highest = found
    source = sr.SourceImageForRegion(_stand_in(film), film.uid, _frames(film))
    yield sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        sr.TrackingIdentifier(settings.uid("region", film.uid, outcome), "hottest region"),
        sr.ImageRegion(sr.GraphicTypeValues.POLYLINE, corners, source),
        finding_type=HEAT_REGION,
        algorithm_id=_algorithm(settings),
        measurements=[sr.Measurement(LARGEST_HEAT, round(highest, 3), ONE)],
        qualitative_evaluations=[sr.QualitativeEvaluation(USE, RESEARCH)],
    )


def _algorithm(settings: Settings) -> sr.AlgorithmIdentification:
    """What computed it (TID 4019)."""
    facts = settings.facts
    calibrated = "calibrated" if facts.is_calibrated else "not calibrated"
    parameters = [
        f"model sha256 {facts.model_sha256}",
        f"operating point {facts.operating_point}",
        f"heat {facts.heat_method}, coloured from {facts.heat_threshold:.2f}",
        calibrated,
        wording.NOT_FOR_DIAGNOSIS,
    ]
    return sr.AlgorithmIdentification(f"{MANUFACTURER} {facts.model}", facts.product, parameters)


def _evidence(film: SourceFilm) -> Dataset:
    """What highdicom needs to know of the film, without a patient; its class is named afterwards."""
    ds = Dataset()
    ds.SOPClassUID = _stand_in(film)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        setattr(ds, keyword, film.header.value(keyword))
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber"):
        setattr(ds, keyword, "")
    ds.StudyID = ds.StudyDate = ds.StudyTime = ""
    ds.Rows, ds.Columns = film.facts.stored_hw or (1, 1)
    return ds


def _stand_in(film: SourceFilm) -> UID:
    """The class by which highdicom knows the film while the report is made: it refuses private classes."""
    return (
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage if _frames(film) else SecondaryCaptureImageStorage
    )


def _frames(film: SourceFilm) -> list[int] | None:
    """The frame that was read, of a film that has several."""
    return [1] if film.facts.frames > 1 else None


def _name_class(ds: Dataset, film: SourceFilm) -> None:
    """Name the film's own class wherever it is referred to."""
    for element in ds.iterall():
        if element.keyword == "ReferencedSOPClassUID" and element.value == _stand_in(film):
            element.value = film.header.value("SOPClassUID")


def _scheme() -> Dataset:
    """Where our own codes come from (PS3.3 C.12.1.1.11)."""
    item = Dataset()
    item.CodingSchemeDesignator = SCHEME
    item.CodingSchemeName = "cxr-triage"
    item.CodingSchemeResponsibleOrganization = "cxr-triage, docs/dicom-results.md"
    return item
