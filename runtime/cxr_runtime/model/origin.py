"""Where a model folder and its calibration come from, in words for the reports."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cxr_runtime.model.calibration import Calibration
from cxr_runtime.model.own_calibrations import calibrated_models, own_calibration
from cxr_runtime.model.own_digest import mark_of, read_plain
from cxr_runtime.names import printable


def origin_of(folder: Path, file: Path, calibration: Calibration, *, is_bundled: bool) -> str:
    """Whose calibration it is, and on how many films and when it was made."""
    made = " on a day that it does not state"
    if calibration.made and calibration.films:
        made = f" on {calibration.made} from {calibration.films:,} films"
    elif calibration.made:
        made = f" on {calibration.made}"
    elif calibration.films:
        made = f" from {calibration.films:,} films"
    if file.parent != folder:
        own = file == own_calibration(calibration.model_sha256)
        return f"this clinic's own, made{made}" if own else f"{printable(str(file))}, made{made}"
    if not is_bundled:
        return f"that of the model's folder, made{made}"
    others = set(calibrated_models()) - {calibration.model_sha256}
    lost = "; this clinic's own is for another model, so calibrate again" if others else ""
    return f"the one that came with the program{lost}"


def remarks_on(files: Sequence[Path], signed_by: str | None) -> Iterator[str]:
    """What a reader should know of files that did not come with the program, and who signed them."""
    if signed_by is not None:
        yield f"signed by {signed_by}"
    marks = {file.name: mark_of(read_plain(file)) for file in files}
    foreign = [name for name, mark in marks.items() if not mark.is_ours]
    bare = [name for name, mark in marks.items() if not mark.has_digest]
    if foreign:
        yield f"{' and '.join(foreign)} not made on this machine"
    if bare:
        yield f"{' and '.join(bare)} without a digest"
