"""Fonts for names in scripts that the reports' own font does not have: bundled ones, then this machine's."""

import logging
import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]  # it ships no types
from fpdf.errors import FPDFException

from cxr_runtime.folders import home_folder

FONT_KINDS = (".ttf", ".otf", ".ttc")
FONT_ERRORS = (TTLibError, FPDFException, OSError, LookupError, ValueError, AssertionError, struct.error)
MAX_OPENED = 300  # fonts looked into; a name that none of these can write is spelt out in codes
RESTRICTED = 0x0002  # OS/2 fsType: the maker does not allow embedding (OpenType, OS/2 table)

# Cutting a font to the letters used, fontTools tells of every table that it leaves out.
logging.getLogger("fontTools.subset").setLevel(logging.ERROR)

# Words in the file names of fonts with many scripts; these are looked into first.
_BROAD = ("cjk", "fallback", "unicode", "noto", "wqy", "yahei", "msyh", "gothic", "malgun", "nirmala")


@dataclass(frozen=True)
class InstalledFont:
    """A font file that may be embedded."""

    path: Path
    code_points: frozenset[int]  # characters that it has


def font_for(character: str) -> InstalledFont | None:
    """The first font that has a character, of those that came with the program, then of this machine's."""
    found = (
        font
        for path in (*bundled_font_files(), *installed_font_files())
        if (font := _opened(path)) and ord(character) in font.code_points
    )
    return next(found, None)


def font_folders() -> tuple[Path, ...]:
    """Where this system keeps its fonts."""
    if sys.platform == "win32":
        shared = [f"{os.environ.get('WINDIR', 'C:/Windows')}/Fonts"]
        own = ["AppData/Local/Microsoft/Windows/Fonts"]
    elif sys.platform == "darwin":
        shared, own = ["/System/Library/Fonts", "/Library/Fonts"], ["Library/Fonts"]
    else:
        shared, own = ["/usr/share/fonts", "/usr/local/share/fonts"], [".local/share/fonts", ".fonts"]
    home = home_folder()
    return *map(Path, shared), *(home / name for name in own if home is not None)


def bundled_font_files() -> tuple[Path, ...]:
    """Fonts that came with the program, besides that of the reports; each has one script."""
    return tuple(sorted((Path(__file__).parent / "fonts").glob("Noto*.ttf")))


@cache
def installed_font_files() -> tuple[Path, ...]:
    """Fonts of this machine, those with many scripts first, MAX_OPENED at most."""
    found = sorted(path for folder in font_folders() for path in _below(folder))
    return tuple(sorted(found, key=_narrowness)[:MAX_OPENED])


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix.lower() in FONT_KINDS)


def _narrowness(path: Path) -> tuple[bool, bool]:
    """Sorts fonts of many scripts first, and upright before bold and italic ones."""
    name = path.stem.lower()
    slanted_or_heavy = any(word in name for word in ("bold", "italic", "oblique", "black", "light", "thin"))
    return not any(word in name for word in _BROAD), slanted_or_heavy


@cache
def _opened(path: Path) -> InstalledFont | None:
    """The font, or None if it is damaged or may not be embedded."""
    try:
        with path.open("rb") as file, TTFont(file, lazy=True, fontNumber=0) as font:
            has_outlines = "glyf" in font or "CFF " in font
            if not has_outlines or font["OS/2"].fsType & RESTRICTED:
                return None
            return InstalledFont(path, frozenset(font.getBestCmap() or ()))
    except FONT_ERRORS:
        return None
