"""worklist.html: every film of a run in one file that needs no network, most suspicious first."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from cxr_runtime.atomic import replacing
from cxr_runtime.colour import legend
from cxr_runtime.output_folder import HEATMAPS_FOLDER
from cxr_runtime.reports import wording
from cxr_runtime.reports.exhibit import Exhibit, RunFacts
from cxr_runtime.reports.printable import printable
from cxr_runtime.reports.tally import Tally
from cxr_runtime.reports.worklist_picture import Detail, picture_html
from cxr_runtime.reports.worklist_row import row

FULL_PICTURES = 500  # most suspicious films whose picture and heat can be opened at full size
THUMBNAILS = 5000  # most suspicious films that have at least a thumbnail
ROWS_MARK = "<!--films-->"  # in worklist.html, where the rows go

# Nothing may be fetched, and only this file's own style and script run, whatever a film is called.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
    "base-uri 'none'; form-action 'none'"
)


def write_worklist(path: Path, run: RunFacts, counts: Tally, exhibits: Iterable[Exhibit]) -> None:
    """Write the worklist.

    Args:
        path: replaced when the page is whole; until then it is as it was.
        run: what the page says of the run.
        counts: of the same films.
        exhibits: all films, most suspicious first, then the rejected and the failed; read once, one at a time.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    before, after = _page(run, counts).split(ROWS_MARK)
    with replacing(path) as file:
        file.write(before.encode())
        for rank, exhibit in enumerate(exhibits, start=1):
            picture = picture_html(exhibit.picture, _detail(rank), run.heat_threshold)
            overlay_file = f"{HEATMAPS_FOLDER}/{exhibit.name}.png"
            has_overlay = (path.parent / overlay_file).is_file()
            file.write(row(exhibit, rank, picture, overlay_file if has_overlay else "").encode())
        file.write(after.encode())


def _detail(rank: int) -> Detail:
    return Detail.FULL if rank <= FULL_PICTURES else Detail.THUMBNAIL if rank <= THUMBNAILS else Detail.NONE


def _page(run: RunFacts, counts: Tally) -> str:
    style, script = _part("worklist.css"), _part("worklist.js")
    return Template(_part("worklist.html")).substitute(
        policy=POLICY.format(style=_digest(style), script=_digest(script)),
        style=style,
        script=script,
        films=counts.films,
        finished=wording.finished(run),
        operating_point=_text(wording.operating_point(run)),
        model=_text(f"{run.model} ({run.model_sha256[:12]})"),
        backend=_text(run.backend),
        heat=_text(f"{run.heat_method}, coloured from {run.heat_threshold:.2f}"),
        inputs=", ".join(f"<bdi>{_text(name)}</bdi>" for name in run.inputs),
        alarm=""
        if run.is_calibrated
        else f'<p class="alarm" role="alert">{_text(wording.UNCALIBRATED_NOTICE)}</p>',
        notice=_text(wording.RESEARCH_NOTICE),
        heat_notice=_text(wording.HEAT_NOTICE),
        filters="".join(_filters(counts)),
        legend=_legend(run.heat_threshold),
        legend_label=f"Colours of the heat map: blue from {run.heat_threshold:.2f}, red up to 1",
        pictures=_pictures(counts),
        product=_text(run.product),
        licence=_text(run.licence),
        passed_over=f"{run.passed_over} other files were passed over: no film by their name."
        if run.passed_over
        else "",
    )


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _text(text: str) -> str:
    return escape(printable(text))


def _digest(part: str) -> str:
    return base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()


def _filters(counts: Tally) -> Iterable[str]:
    """One button a kind of film that there is; the number beside it is its count."""
    kinds = [
        ("all", "All", counts.films),
        ("flagged", "Flagged", counts.flagged),
        ("review", "Review", counts.review),
        ("not_flagged", "Not flagged", counts.not_flagged),
        ("rejected", "Rejected", counts.rejected),
        ("failed", "Failed", counts.failed),
        ("outside-lungs", "Heat outside lungs", counts.outside_lungs),
    ]
    for tag, word, films in kinds:
        if films or tag in ("all", "flagged", "not_flagged"):
            mark = (
                ""
                if tag in ("all", "outside-lungs")
                else f'<svg class="mark"><use href="#mark-{tag}"/></svg>'
            )
            yield (
                f'<button type="button" data-filter="{tag}" aria-pressed="{str(tag == "all").lower()}" '
                f'class="{tag}">{mark}{word} <b>{films}</b></button>'
            )


def _legend(threshold: float) -> str:
    steps = legend(threshold)
    bars = "".join(
        f'<rect x="{10 * place}" width="10" height="8" fill="rgb{step.rgb}"/>'
        for place, step in enumerate(steps)
    )
    return (
        f'{threshold:.2f}<svg viewBox="0 0 {10 * len(steps)} 8" preserveAspectRatio="none" '
        f'aria-hidden="true">{bars}</svg>1'
    )


def _pictures(counts: Tally) -> str:
    if counts.films <= FULL_PICTURES:
        return "This file holds the pictures of all films. It needs no network and no other file."
    return (
        f"This file holds full pictures of the {FULL_PICTURES:,} most suspicious films, thumbnails up to film "
        f"{THUMBNAILS:,}, and every film's row. It needs no network and no other file."
    )
