"""A file as the opener reads it: whole, unless a look at its first bytes says that it is not worth it."""

from collections.abc import Iterator
from dataclasses import dataclass

from cxr_runtime.sources.film_source import FilmSource

SNIFFED = 1024  # bytes by which it is seen what a file is
READ_ANYWAY = 1 << 24  # bytes; of what is no film by its first bytes no more is read


@dataclass(frozen=True)
class LikelyFilm:
    """A source of which no more is read than is worth it."""

    source: FilmSource

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, piece by piece.

        Raises:
            UnreadableFilmError: as of the source, or a large file is none that could be a film.
        """
        start, size = b"", 0
        for chunk in self.source.chunks():
            start = start or chunk[:SNIFFED]
            size += len(chunk)
            if size > READ_ANYWAY:
                _refuse_unless_film(start)
            yield chunk


def _refuse_unless_film(start: bytes) -> None:
    from cxr_runtime.reading.film_file import format_of  # the opener loads hardly anything

    format_of(start)
