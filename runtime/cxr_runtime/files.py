"""Names and formats of the files that the product writes."""

from enum import StrEnum
from pathlib import Path

from cxr_runtime.errors import UsageError

# In the output folder of a scan.
STORE_FILE = "triage.sqlite"  # in it, a store also marks a folder of results, which is never scanned
RESULTS_FILE = "results.csv"
WORKLIST_FILE = "worklist.html"
REPORT_FILE = "report.pdf"
HEATMAPS_FOLDER = "heatmaps"
DICOM_FOLDER = "dicom"
RECEIVED_FOLDER = "received"  # of a service that receives films
WHOLE_FOLDER = "whole"  # in it: films as they came that cannot be copied without names

# In a model's folder.
MODEL_FILE = "model.onnx"
MANIFEST_FILE = "model.json"
CALIBRATION_FILE = "calibration.json"
CARD_FILE = "card.md"
KNOWN_FILMS_FILE = "known-films.json"


def beside(report: Path) -> Path:
    """Where a report goes while another program has it open: results-new.csv."""
    return report.with_name(f"{report.stem}-new{report.suffix}")


class ReportFormat(StrEnum):
    """What `--format` may name."""

    CSV = "csv"  # results.csv
    HTML = "html"  # worklist.html
    PDF = "pdf"  # report.pdf
    PNG = "png"  # heatmaps/NAME.png
    NPZ = "npz"  # heatmaps/NAME.npz
    DICOM = "dicom"  # dicom/NAME-sc.dcm, -pdf.dcm and -sr.dcm


DEFAULT_FORMATS = frozenset(ReportFormat) - {ReportFormat.NPZ, ReportFormat.DICOM}
DEFAULT_FORMAT_LIST = ",".join(name for name in ReportFormat if name in DEFAULT_FORMATS)  # as it is typed
PREVIEW_QUALITY = 84  # of the JPEG of a film that the store keeps, where nobody asks for another


def parse_formats(listed: str) -> frozenset[ReportFormat]:
    """Read a list like `csv,html`.

    Raises:
        UsageError: it names something else.
    """
    names = [name.strip().lower() for name in listed.split(",") if name.strip()]
    wrong = ", ".join(name for name in names if name not in set(ReportFormat)) or ("" if names else "nothing")
    if wrong:
        raise UsageError(f"--format {listed!r} names {wrong}; choose any of {','.join(ReportFormat)}")
    return frozenset(ReportFormat(name) for name in names)
