"""worklist.html: every film of a run in one file that needs no network, most suspicious first."""

from collections.abc import Iterable
from pathlib import Path

from cxr_runtime.atomic import replacing
from cxr_runtime.file_names import HEATMAPS_FOLDER
from cxr_runtime.reports.exhibit import Exhibit, RunFacts
from cxr_runtime.reports.tally import Tally
from cxr_runtime.reports.worklist_page import ROWS_MARK, page
from cxr_runtime.reports.worklist_picture import Detail, picture_html
from cxr_runtime.reports.worklist_row import row

FULL_PICTURES = 500  # most suspicious films whose picture and heat can be opened at full size
THUMBNAILS = 5000  # most suspicious films that have at least a thumbnail

ALL_PICTURES = "This file holds the pictures of all films. It needs no network and no other file."
SOME_PICTURES = (
    f"This file holds full pictures of the {FULL_PICTURES:,} most suspicious films, thumbnails of the "
    f"{THUMBNAILS:,} most suspicious, and every film's row. It needs no network and no other file."
)


def write_worklist(path: Path, run: RunFacts, counts: Tally, exhibits: Iterable[Exhibit]) -> None:
    """Write the worklist.

    Args:
        path: replaced when the page is whole; until then it is as it was.
        run: what the page says of the run.
        counts: of the same films.
        exhibits: all films, most suspicious first, then the rejected and the failed; read once.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    policy = ALL_PICTURES if counts.films <= FULL_PICTURES else SOME_PICTURES
    before, after = page(run, counts, policy).split(ROWS_MARK)
    with replacing(path) as file:
        file.write(before.encode())
        for rank, exhibit in enumerate(exhibits, start=1):
            picture = picture_html(exhibit.picture, _detail(rank))
            overlay_file = f"{HEATMAPS_FOLDER}/{exhibit.name}.png"
            has_overlay = (path.parent / overlay_file).is_file()
            file.write(row(exhibit, rank, picture, overlay_file if has_overlay else "").encode())
        file.write(after.encode())


def _detail(rank: int) -> Detail:
    return Detail.FULL if rank <= FULL_PICTURES else Detail.THUMBNAIL if rank <= THUMBNAILS else Detail.NONE
