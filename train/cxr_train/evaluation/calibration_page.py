"""docs/default-calibration.md: scores of films that the default model has not seen, and its monitoring."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr_calibration.labels.film_csv import CsvRow, read_rows
from cxr_calibration.labels.scoring_films import score_films
from cxr_calibration.monitoring.rehearsal import rehearsal_table, write_films
from cxr_calibration.out_of_fold import calibrate_out_of_fold
from cxr_runtime.model.folder import DEFAULT_MODEL, MODELS_FOLDER, Model, open_model
from cxr_runtime.progress import Progress

NIGHTS = (30, 60, 120)  # films a night
GAMMA = 1.4
DARKENED = slice(2, None, 4)  # every fourth film of nih512
AP_ALONE = slice(1, None, 2)  # every second film of nih512, if it is AP


COMMAND = "cxr-triage lab calibration-page runs/margins.csv --beside runs/beside.csv --data ../shared/data"
MONITORING = """The tables show the share of nights that alarm, of 300 nights each. There are fresh samples of
nih512 itself, every fourth of its films through a gamma of 1.4, films of nlm128, and AP films of nih512
alone. The rate of false alarms that was asked for is 1 %. The reference is always the rest of nih512."""
USUAL, OTHER = "nih512.csv", "nlm128.csv"  # tables below the folder of the data
NAMED = "NIH ChestX-ray14, classes by radiologists (RSNA 2018), of patients it had not seen"


def calibration_page(
    margins: Path, data: Path, progress: Progress, nights: int = 300, beside: Path | None = None
) -> str:
    """The whole page as markdown.

    Args:
        margins: of the default model itself, on films that it has not seen; `lab margins` wrote them.
        data: folder with nih512.csv, nlm128.csv and their films.
        progress: hears of every film that is scored.
        nights: of each kind, in each table of the rehearsal.
        beside: as of `calibrate_out_of_fold`.

    Raises:
        UsageError: the margins or the data cannot be used.
    """
    model = open_model(DEFAULT_MODEL, calibration=MODELS_FOLDER / DEFAULT_MODEL)
    parts = [
        page_head(model.manifest.model_sha256),
        calibrate_out_of_fold(margins, NAMED, beside=beside).strip(),
    ]
    parts += ["## Monitoring", MONITORING, *_rehearsals(model, data, progress, nights)]
    return "\n\n".join(parts) + "\n"


def page_head(model_sha256: str) -> str:
    """What the page is, and which model it is about."""
    return f"""# The default model's scores, measured

This page shows what [calibration](calibration.md) makes of the default model. The films are of patients from
whom neither this network nor any that it was made from has learned. The network that ships scored them
itself. The map and the thresholds are fitted on these films. Each film is then judged by a map and a
threshold that were set without it (cross-validation), so a threshold is not praised for the chance by which
it was chosen.

Other films of the same kind are locked. [truth.md](truth.md) shows whether they keep what this page says.

The model.onnx has the sha256 `{model_sha256}`. [default-model.md](default-model.md) has the command that
makes `runs/margins.csv` and `runs/beside.csv`, and [training.md](training.md#the-tables-of-shareddata) says
what lies in `../shared/data`. One command makes this page, in some ten minutes on two cores:

    {COMMAND}"""


def _rehearsals(model: Model, data: Path, progress: Progress, nights: int) -> list[str]:
    nih, nlm = (read_rows(data / table, ("file",)) for table in (USUAL, OTHER))
    usual = score_films(model, _paths(nih), progress)
    ap_alone = [row for row in nih[AP_ALONE] if row["view"] == "AP"]
    with TemporaryDirectory(prefix="cxr-calibration-page-") as folder:
        write_films(_paths(nih[DARKENED]), Path(folder), GAMMA)
        darker = score_films(model, sorted(Path(folder).iterdir()), progress)
    drifted = {
        f"gamma-{GAMMA}": darker,
        "other-site": score_films(model, _paths(nlm), progress),
        "AP-alone": score_films(model, _paths(ap_alone), progress),
    }
    return [rehearsal_table(model, usual, drifted, films=films, nights=nights) for films in NIGHTS]


def _paths(rows: Sequence[CsvRow]) -> list[Path]:
    return [row.path.parent / row["file"] for row in rows]
