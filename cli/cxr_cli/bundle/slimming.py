"""How much room the libraries take, and what of them the program never loads and can go."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cxr_cli.bundle.contents import licence_of
from cxr_cli.bundle.parts import OURS, bytes_of, needed
from cxr_runtime.errors import InstallationError, UsageError
from cxr_runtime.markdown import markdown_table
from cxr_runtime.scanning.answers import CODECS

MB = 1_000_000
UNUSED = {  # package -> patterns of its files
    "numpy": ("numpy/*tests/*", "numpy/*.a", "numpy/*.lib"),
    # Its Python module bears all of it; this library is for programs in C.
    "onnxruntime": ("onnxruntime/capi/libonnxruntime.so*", "onnxruntime/transformers/*"),
    "fonttools": ("fontTools/*.so", "fontTools/*.pyd"),  # the same in Python lies beside each
}
_CODEC, _LIBRARIES = "imagecodecs/_*", "imagecodecs.libs/*"
# Beside what films may be stored with: what those need, and the encoder of `lab damage`.
_KEPT_CODECS = (*CODECS, "shared", "shared_cython", "htj2k")
_COMPILED = (".so", ".pyd")
_EXTRAS = ("", "dicom", "clinic", "openvino", "tensorrt", "tensorrt-wheels")
_OTHERS = frozenset({"pip", "setuptools", "wheel"})


def can_go(name: str, package: Distribution) -> list[Path]:
    """The files of a package that nothing of the program loads, as far as they are there.

    Args:
        name: of the package, in lower case, e.g. `imagecodecs`.
        package: as it is installed.
    """
    files = {
        str(file).replace("\\", "/"): Path(str(package.locate_file(file))) for file in package.files or ()
    }
    there = {shown: path for shown, path in files.items() if path.is_file()}
    patterns = UNUSED.get(name, ())
    found = [path for shown, path in there.items() if any(fnmatchcase(shown, one) for one in patterns)]
    return [*found, *_codecs(there)] if name == "imagecodecs" else found


def _codecs(there: Mapping[str, Path]) -> Iterator[Path]:
    """Codecs in which no film is stored, and libraries that no other codec names."""
    codecs = {
        path: Path(shown).name.partition(".")[0].removeprefix("_")
        for shown, path in there.items()
        if fnmatchcase(shown, _CODEC) and path.suffix in _COMPILED
    }
    yield from (path for path, codec in codecs.items() if codec not in _KEPT_CODECS)
    waiting = [path for path, codec in codecs.items() if codec in _KEPT_CODECS]
    unnamed = {path for shown, path in there.items() if fnmatchcase(shown, _LIBRARIES)}
    while waiting:
        content = waiting.pop().read_bytes()
        named = {path for path in unnamed if path.name.encode() in content}
        unnamed -= named
        waiting += named
    yield from unnamed


def parts_table() -> str:
    """The packages of the base installation, the largest first, and all together.

    Raises:
        InstallationError: one of them is not installed.
    """
    packages = needed([OURS])
    sizes = {name: (bytes_of(one), sum(map(_bytes, can_go(name, one)))) for name, one in packages.items()}
    rows = [
        (name, packages[name].version, licence_of(packages[name].metadata), *map(_shown, sizes[name]))
        for name in sorted(sizes, key=lambda name: -sizes[name][0])
    ]
    together = ("together", "", "", *(_shown(sum(each)) for each in zip(*sizes.values(), strict=True)))
    return markdown_table(
        ("package", "version", "licence", "MB", "of these `slim` removes"), [*rows, together]
    )


def slim() -> dict[str, int]:
    """Remove from this environment what the program never loads.

    Returns:
        Bytes that went, by package.

    Raises:
        UsageError: the environment holds other programs, too, which may load it.
    """
    packages = ours()
    strangers = sorted(_installed() - packages.keys() - _OTHERS)
    if strangers:
        named = ", ".join(strangers[:3]) + " and others" * (len(strangers) > 3)
        raise UsageError(
            f"{sys.prefix} also holds {named}, which may need what would go; install the program into an "
            "environment of its own"
        )
    return {name: _remove(can_go(name, package)) for name, package in packages.items()}


def ours() -> dict[str, Distribution]:
    """The program, and every package that is here because of it."""
    found: dict[str, Distribution] = {}
    for extra in _EXTRAS:
        try:
            found |= needed([f"{OURS}[{extra}]" if extra else OURS])
        except InstallationError:
            if not extra:
                raise
    return found


def _installed() -> set[str]:
    """Names of all packages that Python finds here."""
    return {package.metadata["Name"].lower().replace("_", "-") for package in distributions()}


def _remove(files: Iterable[Path]) -> int:
    """Remove files of this environment, and of no other that it may look into; the bytes that they had."""
    gone = 0
    for path in files:
        if path.resolve().is_relative_to(Path(sys.prefix).resolve()):
            gone += _bytes(path)
            path.unlink()
    return gone


def _bytes(path: Path) -> int:
    return path.stat().st_size


def _shown(size: int) -> str:
    return f"{size / MB:.1f}" if size else ""
