"""How large the pictures of a worklist may be, film by film, so that the file keeps within a size."""

from base64 import b64encode
from dataclasses import dataclass, field
from enum import IntEnum

from cxr_runtime.film import PREVIEW_LONG_SIDE
from cxr_runtime.language import _, number
from cxr_runtime.pictures import halved_jpeg
from cxr_runtime.reports.exhibit import Picture

HALF_LONG_SIDE = PREVIEW_LONG_SIDE // 2  # pixels
HALF_SHARE = 0.4  # of a film's bytes that its half has, until one is made
KEPT_FOR_HALVES = 0.5  # of the room at most, when the films to come would need that much or more
KEPT_FOR_SMALL = 0.15
ROW_BYTES = 1_500  # of a row without its pictures, about


class Size(IntEnum):
    """Of a picture in the page."""

    NONE = 0
    SMALL = 1  # the thumbnail alone, its heat drawn into it
    HALF = 2  # film and heat, the film with a longer side of HALF_LONG_SIDE at most
    FULL = 3  # film and heat, the film as the store keeps it


@dataclass
class Room:
    """Deals out room to films in the order of the list; no film gets a larger picture than one before it.

    Every film has its row, whatever that comes to. A size is given as long as enough is left for the films to
    come at the next smaller size, or a share of the whole room.
    """

    films: int  # that are to come
    size: int  # bytes of the page
    left: int = field(init=False)
    now: Size = field(init=False, default=Size.FULL)
    last: dict[Size, int] = field(init=False, default_factory=dict)  # rank of the last film of each size
    _half: float = field(init=False, default=0.0)  # bytes that half a picture takes, on average so far
    _small: float = field(init=False, default=0.0)
    _rank: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.left = self._whole = max(0, self.size - ROW_BYTES * self.films)

    def give(self, picture: Picture | None) -> tuple[Size, bytes]:
        """The size of a film's picture in the page, and the film as such a JPEG; b"" where it has none."""
        self._rank += 1
        self.films -= 1
        if picture is None:
            return Size.NONE, b""
        small = _taken(picture.thumbnail_jpeg)
        layers = small + _taken(picture.heat_png or b"")
        film = picture.preview_jpeg
        self._small = small
        self._half = layers + HALF_SHARE * _taken(film)
        if self.now is Size.FULL and self._fits(layers + _taken(film), self._half, KEPT_FOR_HALVES):
            return self._given(Size.FULL, layers + _taken(film)), film
        if self.now >= Size.HALF:
            film = halved_jpeg(film, HALF_LONG_SIDE)
            if self._fits(layers + _taken(film), small, KEPT_FOR_SMALL):
                return self._given(Size.HALF, layers + _taken(film)), film
        if self.now >= Size.SMALL and small <= self.left:
            return self._given(Size.SMALL, small), b""
        self.now = Size.NONE
        return Size.NONE, b""

    def _fits(self, taken: int, next_smaller: float, most_kept: float) -> bool:
        return self.left - taken >= min(self.films * next_smaller, most_kept * self._whole)

    def _given(self, size: Size, taken: int) -> Size:
        self.now = size
        self.left -= taken
        self.last[size] = self._rank
        return size

    def words(self) -> str:
        """From which rank on pictures are smaller; to be asked when every film has had its own."""
        said = [_("This file needs no network and no other file.")]
        if self.now is Size.FULL:
            return f"{said[0]} {_('It holds the pictures of all films.')}"
        first, sizes = 1, {
            Size.FULL: _("a picture of up to {side} pixels", side=number(PREVIEW_LONG_SIDE)),
            Size.HALF: _("one of up to {side}", side=number(HALF_LONG_SIDE)),
            Size.SMALL: _("a small one"),
        }  # fmt: skip
        for size, picture in sizes.items():
            if last := self.last.get(size):
                span = {"first": number(first), "last": number(last)}
                said.append(_("Films {first} to {last} have {picture}.", **span, picture=picture))
                first = last + 1
        if self.now is Size.NONE:
            said.append(_("From {first} on there is none.", first=number(first)))
        said.append(_("`--worklist-size` gives it more room."))
        return " ".join(said)


def _taken(content: bytes) -> int:
    """Bytes of a file in base64."""
    return -(-len(content) // 3) * 4


def data(content: bytes) -> str:
    """A file as text of ASCII letters, as it stands in the page."""
    return b64encode(content).decode("ascii")
