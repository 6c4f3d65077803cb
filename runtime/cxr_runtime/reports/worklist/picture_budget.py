"""How large the pictures of a worklist may be, film by film, so that the file keeps within a size."""

from base64 import b64encode
from dataclasses import dataclass, field
from enum import IntEnum

from cxr_runtime.film import PREVIEW_LONG_SIDE, shrunk_hw
from cxr_runtime.heat.overlay import THUMBNAIL_LONG_SIDE
from cxr_runtime.language import _, number
from cxr_runtime.pictures import jpeg_hw, smaller_jpeg
from cxr_runtime.reports.exhibit import Picture


class Size(IntEnum):
    """Of a film's picture in the page: pixels of its longer side, at most; the store may keep less."""

    NONE = 0
    THUMBNAIL = THUMBNAIL_LONG_SIDE  # heat drawn into it; larger ones have a layer of heat beside them
    QUARTER = PREVIEW_LONG_SIDE // 4
    HALF = PREVIEW_LONG_SIDE // 2
    FULL = PREVIEW_LONG_SIDE  # as the store keeps it


ROW_BYTES = 1_500  # of a row without its pictures, about
LEAST_ROWS = 1_000  # are listed, however small the page is to be; beyond, rows take half of it at most
CORNER_BYTES = 16  # of a corner of an outline
BYTES_BY_SIDE = 1.7  # JPEGs of half the side have about 1 / 2 ** 1.7 of the bytes
NEXT = {
    Size.FULL: Size.HALF,
    Size.HALF: Size.QUARTER,
    Size.QUARTER: Size.THUMBNAIL,
    Size.THUMBNAIL: Size.NONE,
}
MOST_KEPT = {Size.FULL: 0.5, Size.HALF: 0.3, Size.QUARTER: 0.15, Size.THUMBNAIL: 0}  # of the whole


@dataclass
class PictureBudget:
    """Deals out a page's bytes to films in the order of the list; no picture is larger than one before it.

    Every film has its row, as long as rows take half of the page at most. A size is given as long as enough
    is left to give all films to come the next smaller one, or as long as MOST_KEPT of the whole is left.
    """

    films: int  # that are to come; at first, all films
    size: int  # bytes of the page
    rows: int = field(init=False)  # films that are listed
    left: float = field(init=False)
    now: Size = field(init=False, default=Size.FULL)
    last: dict[Size, int] = field(init=False, default_factory=dict)  # rank of the last film of each size
    sides: dict[Size, int] = field(init=False, default_factory=dict)  # pixels of the largest picture of each
    _rank: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._films = self.films
        self.films = self.rows = min(self.films, max(LEAST_ROWS, self.size // (2 * ROW_BYTES)))
        self.left = self._whole = max(0, self.size - ROW_BYTES * self.rows)

    def give(self, picture: Picture | None) -> tuple[Size, bytes]:
        """The size of a film's picture in the page, and the film as such a JPEG; b"" where it has none."""
        self._rank += 1
        self.films -= 1
        while picture is not None and self.now:
            is_large = self.now > Size.THUMBNAIL
            film = smaller_jpeg(picture.preview_jpeg, self.now) if is_large else b""
            taken = _taken(picture, len(film)) if is_large else base64_bytes(picture.thumbnail_jpeg)
            kept = min(self.films * _expected(picture, NEXT[self.now]), MOST_KEPT[self.now] * self._whole)
            if self.left - taken >= kept:
                self.left -= taken
                self.last[self.now] = self._rank
                side = max(jpeg_hw(film)) if film else self.now
                self.sides[self.now] = max(side, self.sides.get(self.now, 0))
                return self.now, film
            self.now = NEXT[self.now]
        return Size.NONE, b""

    def end(self) -> str:
        """That not every film is listed; "" where each is."""
        if self.rows == self._films:
            return ""
        return _(
            "The list ends here: it has the first {rows} of {films} films. results.csv has all of them, and "
            "`cxr-triage serve` shows them.",
            rows=number(self.rows),
            films=number(self._films),
        )

    def words(self) -> str:
        """From which rank on pictures are smaller; to be asked when every film has had its own."""
        said = [_("This file needs no network and no other file.")]
        if self.now is Size.FULL:
            return " ".join([*said, _("It holds the pictures of all films.")])
        first = 1
        for size, last in self.last.items():
            said.append(
                _(
                    "Films {first} to {last}: pictures of up to {side} pixels.",
                    first=number(first),
                    last=number(last),
                    side=number(self.sides[size]),
                )
            )
            first = last + 1
        if self.now is Size.NONE:
            said.append(_("From {first} on there are none.", first=number(first)))
        said.append(_("`--worklist-size` gives it more room."))
        return " ".join(said)


def _taken(picture: Picture, film_bytes: float) -> float:
    """Bytes that a film's pictures take in the page."""
    corners = sum(map(len, picture.lung_outlines))
    layers = base64_bytes(picture.thumbnail_jpeg) + base64_bytes(picture.heat_png or b"")
    return layers + CORNER_BYTES * corners + film_bytes * 4 / 3


def _expected(picture: Picture, size: Size) -> float:
    """Bytes that the pictures of a film like this take at another size."""
    if size <= Size.THUMBNAIL:
        return base64_bytes(picture.thumbnail_jpeg) if size else 0
    share = min(1, size / max(shrunk_hw(picture.film_hw)))
    return _taken(picture, len(picture.preview_jpeg) * share**BYTES_BY_SIDE)


def base64_bytes(content: bytes) -> int:
    """Letters that a file has in base64."""
    return -(-len(content) // 3) * 4


def data(content: bytes) -> str:
    """A file as text of ASCII letters, as it stands in the page."""
    return b64encode(content).decode("ascii")
