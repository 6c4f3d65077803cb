"""One film's row in the worklist."""

from html import escape
from urllib.parse import quote

from cxr_runtime.names import folder_and_name, printable
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.reports.exhibit import Exhibit
from cxr_runtime.reports.wording import heat_in_lungs, is_heat_outside_lungs, remarks, verdict


def row(exhibit: Exhibit, rank: int, picture: str, overlay_file: str = "") -> str:
    """A table row as HTML.

    Args:
        exhibit: the film.
        rank: its place by suspicion, from 1.
        picture: HTML of its thumbnail and of what the viewer opens; "" if there is none.
        overlay_file: path of its overlay picture, relative to the worklist; "" if there is none.
    """
    outcome = exhibit.outcome
    result = outcome.status.value if outcome.triage is None else outcome.triage.value
    stated = {
        "file": printable(outcome.file),
        "score": "" if outcome.score is None else f"{outcome.score:.2f}",
        "result": result,
        "tags": f"{result} outside-lungs" if is_heat_outside_lungs(outcome) else result,
        "view": printable(outcome.view),
        "lungs": heat_in_lungs(outcome),
        "sha256": outcome.sha256[:12],
        "overlay": quote(overlay_file),
    }
    data = " ".join(f'data-{name}="{escape(value)}"' for name, value in stated.items())
    cells = {
        "rank": str(rank),
        "picture": picture or EMPTY_THUMBNAIL,
        "file": _file(outcome),
        "score": _score(outcome),
        "result": f'<span class="verdict {result}">{_mark(outcome, result)}{verdict(outcome)}</span>',
        "view": escape(stated["view"]),
    }
    inner = "".join(f'<td role="cell" class="{name}">{html}</td>' for name, html in cells.items())
    return f'<tr role="row" {data}>{inner}</tr>\n'


EMPTY_THUMBNAIL = '<div class="thumb empty"></div>'


def _file(outcome: Outcome) -> str:
    """Name, folder and remarks; `bdi` keeps a right-to-left name from turning what stands around it."""
    folder, name = folder_and_name(printable(outcome.file))
    below = f'<span class="folder"><bdi>{escape(folder)}</bdi></span>' if folder else ""
    said = "".join(f'<span class="remark">{escape(remark)}</span>' for remark in remarks(outcome))
    return f'<button type="button" class="open"><bdi>{escape(name)}</bdi></button>{below}{said}'


def _score(outcome: Outcome) -> str:
    if outcome.score is None:
        return '<span class="unseen">no score</span>'
    threshold = (
        ""
        if outcome.threshold is None
        else f'<rect class="threshold" x="{100 * outcome.threshold - 0.75:.2f}" width="1.5" height="8"/>'
    )
    return (
        f'{outcome.score:.2f}<svg class="gauge {outcome.triage}" viewBox="0 0 100 8" '
        'preserveAspectRatio="none" aria-hidden="true"><rect class="track" y="1" width="100" height="6"/>'
        f'<rect class="fill" y="1" width="{outcome.score:.2f}" height="6"/>{threshold}</svg>'
    )


def _mark(outcome: Outcome, result: str) -> str:
    if outcome.status is Status.SCORED and outcome.triage is None:
        return ""
    return f'<svg class="mark" aria-hidden="true"><use href="#mark-{result}"/></svg>'
