"""The files in heatmaps/: an overlay picture for every scored film, and its heat as numbers if asked for."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.atomic import replacing, write_bytes
from cxr_runtime.file_names import HEATMAPS_FOLDER
from cxr_runtime.film import GreyPixels
from cxr_runtime.heat.map import HeatMethod, HeatRecipe, film_heat
from cxr_runtime.heat.overlay import overlay
from cxr_runtime.pictures import decode_jpeg, encode_png
from cxr_runtime.reports.formats import ReportFormat
from cxr_runtime.store.store import StoredPicture


@dataclass(frozen=True)
class HeatmapFiles:
    """Writes a film's files below one output folder."""

    out: Path
    recipe: HeatRecipe
    method: HeatMethod
    formats: frozenset[ReportFormat]
    lung_outline: bool

    def write(
        self, name: str, picture: StoredPicture, preview: GreyPixels, heat: NDArray[np.float32]
    ) -> None:
        """Write a scored film's files.

        Args:
            name: stem of the files.
            picture: what the store keeps of the film.
            preview: (rows, columns) uint8, the film at reading size.
            heat: (h, w) float32 in 0..1 over the whole film.

        Raises:
            OSError: the folder cannot be written, or the disk is full.
        """
        if ReportFormat.PNG in self.formats:
            outlines = picture.lung_outlines if self.lung_outline else ()
            coloured = overlay(preview, heat, self.recipe.threshold_of(self.method), outlines)
            write_bytes(self._path(name, "png"), encode_png(coloured))
        if ReportFormat.NPZ in self.formats:
            self._write_numbers(self._path(name, "npz"), heat, picture.placement.film_hw)

    def write_missing(self, name: str, picture: StoredPicture) -> None:
        """Write those of a scored film's files that an earlier run left out."""
        wanted = {ReportFormat.PNG, ReportFormat.NPZ} & self.formats
        if picture.heat_cells is not None and not all(self._path(name, kind).is_file() for kind in wanted):
            heat = film_heat(picture.heat_cells, picture.placement, self.recipe, self.method)
            self.write(name, picture, decode_jpeg(picture.preview_jpeg), heat)

    def _path(self, name: str, kind: str) -> Path:
        return self.out / HEATMAPS_FOLDER / f"{name}.{kind}"

    @staticmethod
    def _write_numbers(path: Path, heat: NDArray[np.float32], film_hw: tuple[int, int]) -> None:
        with replacing(path) as file:
            np.savez_compressed(file, heat=heat, film_hw=np.array(film_hw, np.int64))
