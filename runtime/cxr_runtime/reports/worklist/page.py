"""worklist.html: every film of a run in one file that needs no network, most suspicious first."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from itertools import islice
from pathlib import Path

from markupsafe import Markup

from cxr_runtime.access import PRIVATE, Access
from cxr_runtime.atomic import replacing
from cxr_runtime.files import HEATMAPS_FOLDER
from cxr_runtime.film import shrunk_hw
from cxr_runtime.heat.colours import legend
from cxr_runtime.language import _, later, number
from cxr_runtime.names import composed, folder_and_name, printable
from cxr_runtime.outcome import Outcome
from cxr_runtime.pictures import jpeg_hw
from cxr_runtime.reports import meaning, verdicts, viewer, wording
from cxr_runtime.reports.exhibit import Exhibit, Picture, Tally, is_heat_outside_lungs
from cxr_runtime.reports.templates import templates
from cxr_runtime.reports.worklist.picture_budget import PictureBudget, Size, data
from cxr_runtime.store.rows import RunFacts
from cxr_runtime.windows_paths import reachable

SHARES = 1 << 14  # that are remembered; outlines are kept in ten thousandths
OUTSIDE_LUNGS = "outside-lungs"  # tag of a flagged film whose heat lies outside the lungs


@dataclass(frozen=True)
class Row:
    """One film of the worklist."""

    rank: int  # place by suspicion, from 1
    outcome: Outcome
    thumbnail_jpeg: bytes | None  # None: there is none, or the page does not hold it
    pictures: Markup | None  # film, heat and outlines as JSON; None where the page does not hold them
    size: str  # pixels of the film, and of its picture in the page
    overlay_file: str  # path of its overlay picture, relative to the worklist; "" if there is none
    owner: tuple[str, ...]  # whose film it is; () where that is not kept
    where: str  # the regions in which its heat lies; "" where that is not known
    patient: str  # by which two films are known to be of one patient; "" where that is not kept
    studied: str  # day of the study, e.g. 2026-03-04; "" where that is not kept
    meaning: str  # how many films with such a score are abnormal; "" where nothing can be said

    @property
    def folder_and_name(self) -> tuple[str, str]:
        """The film as named in results.csv, split."""
        return folder_and_name(printable(self.outcome.file))

    @property
    def result(self) -> str:
        """How the film ended, as style and script know it: the triage, or the status of a film without."""
        return self.outcome.status.value if self.outcome.triage is None else self.outcome.triage.value

    @property
    def result_word(self) -> str:
        """How the film ended, as a reader knows it."""
        return wording.result_word(self.outcome)

    @property
    def tags(self) -> str:
        """The filters that show this film, besides `all`."""
        is_outside = is_heat_outside_lungs(self.outcome)
        return f"{self.result} {OUTSIDE_LUNGS}" if is_outside else self.result

    @property
    def score_shown(self) -> str:
        """The score as a reader sees it."""
        return "" if self.outcome.score is None else number(self.outcome.score, 2)

    @property
    def heat_in_lungs(self) -> str:
        """How much of its heat lies in the lungs, where a remark does not say it."""
        return wording.heat_in_lungs(self.outcome)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What else a reader must know."""
        return wording.remarks(self.outcome)


_SAID = re.compile(r'(?<![\w.])_\("((?:[^"\\]|\\.)+)"')  # `_("...")` in the script
# Nothing may be fetched, and only the page's own style and script run, whatever a film is called
# (W3C Content Security Policy 3).
POLICY = (
    "default-src 'none'; img-src data:; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
    "base-uri 'none'; form-action 'none'"
)


# Compiled as this file is loaded, which happens while films are scored.
_TEMPLATES = {
    name: templates("cxr_runtime.reports").get_template(f"worklist/{name}.html")
    for name in ("page", "row", "meaning", "technical")
}


def write_worklist(
    path: Path,
    run: RunFacts,
    counts: Tally,
    exhibits: Iterable[Exhibit],
    access: Access = PRIVATE,
    refused: int = 0,
) -> None:
    """Write the worklist.

    Args:
        path: replaced when the page is whole; until then it is as it was.
        run: what the page says of the run.
        counts: of the same films.
        exhibits: all films, most suspicious first, then the rejected and the failed; read once, as far
            as the page has room for rows.
        access: who may read it.
        refused: results that archives have refused for good.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    style = Markup(f"{viewer.style()}\n{verdicts.style()}\n{_part('page.css')}")
    script = Markup(f"{viewer.script()}\n{verdicts.script_without_server()}\n{_part('page.js')}")
    budget = PictureBudget(counts.films, run.presentation.worklist_bytes - len(style) - len(script))
    parts = _TEMPLATES["page"].generate(
        policy=POLICY.format(style=_digest(style), script=_digest(script)),
        style=style,
        script=script,
        run=run,
        counts=counts,
        refused=refused,
        wording=wording,
        meaning=meaning,
        budget=budget,
        words=_words(script),
        labels=_json({name: _(words) for name, words in {**viewer.LABELS, **verdicts.LABELS}.items()}),
        filters=tuple(_filters(counts)),
        legend=legend(run.heat_threshold, run.presentation.colours),
        films=_rows(exhibits, path.parent, run, budget),
    )
    with replacing(path, access) as file:
        file.writelines(part.encode() for part in parts)


def _words(script: str) -> Markup:
    """The sentences that the script says, with what they are in the language of the page, as JSON."""
    found = {sentence: _(sentence) for sentence in _SAID.findall(script)}
    return _json({english: word for english, word in found.items() if word != english})


def _rows(exhibits: Iterable[Exhibit], folder: Path, run: RunFacts, budget: PictureBudget) -> Iterator[Row]:
    there = reachable(folder / HEATMAPS_FOLDER).glob("*.png")
    overlays = {composed(path.name) for path in there}  # one look, not one a film
    for rank, exhibit in enumerate(islice(exhibits, budget.rows), start=1):
        overlay, picture = f"{exhibit.name}.png", exhibit.picture
        size, film = budget.give(picture)
        yield Row(
            rank,
            exhibit.outcome,
            picture.thumbnail_jpeg if picture and size else None,
            _pictures(picture, film) if picture and film else None,
            _size(picture, size, film) if picture else "",
            f"{HEATMAPS_FOLDER}/{overlay}" if overlay in overlays else "",
            exhibit.owner,
            wording.where_heat_lies(picture) if size else "",
            exhibit.patient,
            exhibit.studied,
            meaning.films_like_this(exhibit.outcome, run),
        )


def _pictures(picture: Picture, film: bytes) -> Markup:
    """What the viewer shows of a film."""
    outlines = ",".join(
        f"[{','.join(f'[{_share(x)},{_share(y)}]' for x, y in outline)}]" for outline in picture.lung_outlines
    )
    heat = "null" if picture.heat_png is None else f'"{data(picture.heat_png)}"'
    spacing = None
    if picture.spacing_mm is not None:
        spacing = [round(picture.spacing_mm * picture.film_hw[0] / jpeg_hw(film)[0], 6)] * 2
    return Markup(  # base64 and numbers have nothing to escape
        f'{{"film":"{data(film)}","heat":{heat},"outlines":[{outlines}],"spacing":{_json(spacing)}}}'
    )


@lru_cache(SHARES)
def _share(of: float) -> str:
    """A share of a film's width or height as JSON has it."""
    return json.dumps(round(of, 4))


def _size(picture: Picture, size: Size, shown_film: bytes) -> str:
    """Pixels of the film, and how large its picture is where that is less."""
    rows, columns = picture.film_hw
    shown_rows, shown_columns = jpeg_hw(shown_film) if shown_film else shrunk_hw(picture.film_hw, size or 1)
    film = wording.left_to_right(f"{number(columns)} x {number(rows)}")
    if size is Size.NONE or (shown_rows, shown_columns) == picture.film_hw:
        return _("{size} pixels", size=film)
    shown = wording.left_to_right(f"{number(shown_columns)} x {number(shown_rows)}")
    return _("{size} pixels, shown from {shown}", size=film, shown=shown)


def _json(value: object) -> Markup:
    """As a data block of the page takes it: no `<` ends it."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


@dataclass(frozen=True)
class Filter:
    """A button that narrows the list to the films with a tag."""

    tag: str  # one of Row.tags; `all` shows every film
    word: str
    films: int
    has_mark: bool = True  # the films' own mark stands on it
    is_always_offered: bool = False  # even if it would show no film


def _filters(counts: Tally) -> Iterator[Filter]:
    """Those that would show a film, and those that are always there."""
    every = (
        Filter("all", later("All"), counts.films, has_mark=False, is_always_offered=True),
        Filter("flagged", later("Flagged"), counts.flagged, is_always_offered=True),
        Filter("review", later("Review"), counts.review),
        Filter("not_flagged", later("Not flagged"), counts.not_flagged, is_always_offered=True),
        Filter("rejected", later("Rejected"), counts.rejected),
        Filter("failed", later("Failed"), counts.failed),
        Filter(OUTSIDE_LUNGS, later("Heat outside lungs"), counts.outside_lungs, has_mark=False),
    )
    return (one for one in every if one.films or one.is_always_offered)


def _part(name: str) -> str:
    """The page's own style or script, which stands in it as it is."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(part: str) -> str:
    return b64encode(sha256(part.encode()).digest()).decode()
