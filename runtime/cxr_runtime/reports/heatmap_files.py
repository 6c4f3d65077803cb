"""The files in heatmaps/: an overlay picture for every scored film, and its heat as numbers if asked for."""

import os
import re
import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.access import PRIVATE, Access
from cxr_runtime.atomic import file_stamp, replacing, write_bytes
from cxr_runtime.files import HEATMAPS_FOLDER, ReportFormat
from cxr_runtime.film import GreyPixels, resize, shrunk_hw
from cxr_runtime.heat.map import HeatView, film_heat
from cxr_runtime.heat.overlay import overlay
from cxr_runtime.names import SHA_DIGITS, composed
from cxr_runtime.pictures import decode_jpeg, encode_png
from cxr_runtime.placement import Outline
from cxr_runtime.presentation import Colours
from cxr_runtime.store.rows import StoredPicture
from cxr_runtime.windows_paths import reachable

# How a picture ends that was written to its end: the IEND chunk of a PNG (W3C PNG 11.2.5), and the end of a
# zip file's directory, 22 bytes with no comment (PKWARE APPNOTE 4.3.16).
_ENDS = {"png": (b"\0\0\0\0IEND\xaeB`\x82", 12), "npz": (b"PK\5\6", 22)}
_OURS = re.compile(rf".*-[0-9a-f]{{{SHA_DIGITS}}}\.(png|npz)")  # as safe_name makes them


@dataclass(frozen=True)
class HeatmapFiles:
    """Writes films' files below one output folder."""

    out: Path
    view: HeatView
    formats: frozenset[ReportFormat]
    lung_outline: bool
    access: Access = PRIVATE
    colours: Colours = Colours.JET  # scale of the heat
    # Files below `out` that may not be replaced or removed for now, with the system's reason: a viewer shows
    # them, as a rule. None of them ends a scan.
    refused: dict[str, str] = field(default_factory=dict)

    def write(
        self,
        name: str,
        preview: GreyPixels,
        heat: NDArray[np.float32],
        film_hw: tuple[int, int],
        lung_outlines: Sequence[Outline],
    ) -> tuple[tuple[str, str], ...]:
        """Write a scored film's files.

        Args:
            name: stem of the files.
            preview: (rows, columns) uint8, the film at reading size.
            heat: (h, w) float32 in 0..1 over the whole film.
            film_hw: rows and columns of the film itself.
            lung_outlines: one polygon a lung.

        Returns:
            Name below `out` and stamp of each file that was written, by which the next run knows it again.

        Raises:
            OSError: the disk is full, or fails.
        """
        kinds = sorted({ReportFormat.PNG, ReportFormat.NPZ} & self.formats)
        if ReportFormat.PNG in self.formats:
            outlines = lung_outlines if self.lung_outline else ()
            # Without a warm part it is the film: grey takes half the time.
            is_grey = not outlines and float(heat.max(initial=0)) < self.view.threshold
            how = self.view.threshold, outlines, self.colours
            shown = preview if is_grey else overlay(preview, heat, *how)
            with self._unless_refused(self._path(name, "png")) as path:
                write_bytes(path, encode_png(shown), self.access, durable=False)
        if ReportFormat.NPZ in self.formats:
            with (
                self._unless_refused(self._path(name, "npz")) as path,
                replacing(path, self.access, durable=False) as file,
            ):
                np.savez_compressed(file, heat=heat, film_hw=np.array(film_hw, np.int64))
        files = {f"{HEATMAPS_FOLDER}/{name}.{kind}": self._path(name, kind) for kind in kinds}
        return tuple((each, self._stamp(path)) for each, path in files.items() if each not in self.refused)

    def complete(self, owed: Container[str], written: Mapping[str, str]) -> set[str]:
        """Names of the films all of whose files are there, as they were written, and whole.

        The files are not waited for until they are on the disk, for the store can make them again: after a
        power cut some may be empty, or end in the middle. A link is no file of ours.

        Args:
            owed: files below `out` that could not be written.
            written: the stamps of those that were.
        """
        wanted = sorted({ReportFormat.PNG, ReportFormat.NPZ} & self.formats)
        whole = {
            shown.removeprefix(f"{HEATMAPS_FOLDER}/")
            for shown in self.present()
            if shown in written and shown not in owed and self._stands(shown, written[shown])
        }
        stems = {name.rpartition(".")[0] for name in whole}
        return {stem for stem in stems if all(f"{stem}.{kind}" in whole for kind in wanted)}

    def present(self) -> set[str]:
        """The plain files in heatmaps/, by name below `out`."""
        with os.scandir(reachable(self.out / HEATMAPS_FOLDER)) as listing:
            return {
                f"{HEATMAPS_FOLDER}/{composed(entry.name)}"
                for entry in listing
                if entry.is_file(follow_symlinks=False)
            }

    def _stands(self, shown: str, stamp: str) -> bool:
        path = f"{self.out}/{shown}"
        return stamp == self._stamp(path) and _is_whole(path)

    def write_again(self, name: str, picture: StoredPicture) -> tuple[tuple[str, str], ...]:
        """Write a scored film's files from what the store keeps of it; returns what `write` does."""
        if picture.heat_cells is None:
            return ()
        heat = film_heat(picture.heat_cells, picture.placement, self.view)
        film_hw = picture.placement.film_hw
        preview = resize(decode_jpeg(picture.preview_jpeg), shrunk_hw(film_hw))
        return self.write(name, preview, heat, film_hw, picture.lung_outlines)

    def copy(self, name: str, of: str) -> tuple[tuple[str, str], ...]:
        """Write a film's files as those of another name of it, which are whole; returns what `write` does."""
        stamps = []
        for kind in sorted({ReportFormat.PNG, ReportFormat.NPZ} & self.formats):
            with self._unless_refused(self._path(name, kind)) as path:
                write_bytes(path, self._path(of, kind).read_bytes(), self.access, durable=False)
                stamps.append((f"{HEATMAPS_FOLDER}/{name}.{kind}", self._stamp(path)))
        return tuple(stamps)

    def put(self, shown: str, content: bytes) -> tuple[tuple[str, str], ...]:
        """Write a film's file as it was made elsewhere; returns what `write` does.

        Args:
            shown: its name below `out`.
            content: of the file.
        """
        with self._unless_refused(self.out / shown) as path:
            write_bytes(path, content, self.access, durable=False)
        return () if shown in self.refused else ((shown, self._stamp(self.out / shown)),)

    def remove_others(self, names: Container[str]) -> None:
        """Remove what an earlier run left of films that are not among these; files that are not ours stay."""
        folder = reachable(self.out / HEATMAPS_FOLDER)
        for name in os.listdir(folder):  # noqa: PTH208 - a path for each of 100,000 is not needed
            if composed(name.rpartition(".")[0]) not in names and _OURS.fullmatch(name):
                with self._unless_refused(folder / name) as path:
                    path.unlink()

    @contextmanager
    def _unless_refused(self, path: Path) -> Iterator[Path]:
        shown = f"{HEATMAPS_FOLDER}/{path.name}"
        try:
            yield path
        except (PermissionError, IsADirectoryError) as error:
            self.refused[shown] = str(error.strerror)
        else:
            self.refused.pop(shown, None)

    def _stamp(self, path: str | Path) -> str:
        """Stamp of a picture, with its colours where they are not the usual ones."""
        stamp = file_stamp(path)
        return stamp if self.colours is Colours.JET or _kind(path) != "png" else f"{stamp} {self.colours}"

    def _path(self, name: str, kind: str) -> Path:
        return self.out / HEATMAPS_FOLDER / f"{name}.{kind}"


def _kind(path: str | Path) -> str:
    return os.fspath(path).rpartition(".")[2]


def _is_whole(path: str) -> bool:
    """Whether a file ends as its kind does."""
    start, length = _ENDS[_kind(path)]
    try:
        file = os.open(
            path if sys.platform != "win32" else reachable(Path(path)),
            os.O_RDONLY | getattr(os, "O_BINARY", 0),
        )
    except OSError:
        return False
    try:
        os.lseek(file, -length, os.SEEK_END)
        return os.read(file, length).startswith(start)
    except OSError:  # too short to have that end
        return False
    finally:
        os.close(file)
