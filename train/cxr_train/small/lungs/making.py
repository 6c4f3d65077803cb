"""Makes and measures both lung fields: what `cxr-triage segment-train` does."""

from dataclasses import dataclass
from pathlib import Path

from cxr_runtime.lungs import LungField
from cxr_runtime.lungs.atlas import ATLAS_FILE, AtlasLungField
from cxr_runtime.lungs.field import INPUT_SIDE, LUNG_FIELD_FILE, UnetLungField
from cxr_runtime.progress import Progress
from cxr_train.small.lungs.atlases import make_atlases, write_atlases
from cxr_train.small.lungs.measuring import Maker, cross_validate, markdown
from cxr_train.small.lungs.network import train_lung_net
from cxr_train.small.lungs.sampling import OutlinedFilm, read_outlined_films
from cxr_train.small.one_cycle import Schedule
from cxr_train.small.onnx_file import write_onnx

TABLE_FILE = "lung-field.md"
FOLDS_FOLDER = "folds"


@dataclass(frozen=True)
class Making:
    """What is made, and how it is measured."""

    table: Path  # CSV with the columns `file` and `lung_mask`
    out: Path  # folder for the files
    fields: tuple[str, ...]  # any of unet, atlas
    folds: int  # of the cross-validation; 0 measures nothing
    schedule: Schedule


def make_lung_fields(making: Making, progress: Progress) -> str:
    """Cross-validate, then make each lung field from all films, into `out`.

    Returns:
        The table of the cross-validation, markdown; empty without folds.

    Raises:
        UsageError: the table or its films cannot be used.
        CxrTriageError: training failed.
    """
    films = read_outlined_films(making.table)
    makers = {name: MAKERS[name](making.schedule, progress) for name in making.fields}
    measured = {}
    for name, make in makers.items() if making.folds else ():
        progress.say(f"{name}: cross-validation in {making.folds} folds over {len(films)} films")
        measured[name] = cross_validate(films, making.folds, make, making.out / FOLDS_FOLDER)
        progress.say(markdown({name: measured[name]}).splitlines()[-1])
    for name, make in makers.items():
        progress.say(f"{name}: from all {len(films)} films")
        make(films, making.out)
    if not measured:
        return ""
    table = markdown(measured)
    (making.out / TABLE_FILE).write_text(table, encoding="utf-8")
    return table


def _unet(schedule: Schedule, progress: Progress) -> Maker:
    def make(films: list[OutlinedFilm], folder: Path) -> LungField:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / LUNG_FIELD_FILE.name
        write_onnx(train_lung_net(films, schedule, progress), path, INPUT_SIDE, "lungs")
        return UnetLungField(path)

    return make


def _atlas(_schedule: Schedule, _progress: Progress) -> Maker:
    def make(films: list[OutlinedFilm], folder: Path) -> LungField:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / ATLAS_FILE.name
        write_atlases(make_atlases(films), path)
        return AtlasLungField(path)

    return make


MAKERS = {"unet": _unet, "atlas": _atlas}
