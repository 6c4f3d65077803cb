"""The pictures of a film while it is in hand: its files in heatmaps/, and what the store keeps of it."""

from dataclasses import dataclass

from cxr_runtime.heat.overlay import heat_layer, thumbnail_jpeg
from cxr_runtime.names import safe_name
from cxr_runtime.pictures import encode_jpeg
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.scanning.examination import Rejected, Unread
from cxr_runtime.scanning.scoring import Scored, Unscored
from cxr_runtime.store.rows import FinishedFilm, StoredPicture


@dataclass(frozen=True)
class Drawing:
    """Draws films for one output folder; heat is laid over a film once, and everything is made of that."""

    files: HeatmapFiles

    def draw(self, item: Scored | Unscored) -> FinishedFilm:
        """Write the film's files, and gather what the store keeps.

        Raises:
            OSError: the folder cannot be written, or the disk is full.
        """
        threshold, colours = self.files.view.threshold, self.files.colours
        match item:
            case Scored(place, film, score, cells, heat):
                outlines, film_hw = film.lungs.outlines, film.placement.film_hw
                name = safe_name(place.file, film.sha256)
                written = self.files.write(name, film.preview, heat, film_hw, outlines)
                picture = StoredPicture(
                    encode_jpeg(film.preview),
                    film.placement,
                    cells,
                    outlines,
                    thumbnail_jpeg(film.preview, heat, threshold, colours),
                    heat_layer(heat, film_hw, threshold),
                )
                return FinishedFilm(place, score, picture, film.size, files=written)
            case Unscored(film=Rejected() as film):
                thumbnail = thumbnail_jpeg(film.preview, None, threshold)
                picture = StoredPicture(encode_jpeg(film.preview), film.whole, None, (), thumbnail)
                return FinishedFilm(item.place, item.score, picture, film.size)
            case Unscored():
                return without_pictures(item)


def without_pictures(item: Scored | Unscored) -> FinishedFilm:
    """A film as it goes into a store that nobody looks at."""
    match item.film:
        case Unread(is_lasting=is_lasting):
            return FinishedFilm(item.place, item.score, is_lasting=is_lasting and item.place.is_settled)
        case film:
            return FinishedFilm(item.place, item.score, size=film.size)
