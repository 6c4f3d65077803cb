"""What the base installation consists of: each package with its licence, and how much room it takes."""

from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from cxr_cli.bundle.contents import licence_of
from cxr_runtime.errors import InstallationError
from cxr_runtime.markdown import markdown_table

MB = 1_000_000
OURS = "cxr-triage"


def needed(requirements: Iterable[str]) -> dict[str, Distribution]:
    """Every package that is installed here because of these requirements, by name.

    Args:
        requirements: e.g. `numpy>=2.0` (PEP 508).

    Raises:
        InstallationError: one of them is not installed.
    """
    found: dict[str, Distribution] = {}
    waiting = list(map(Requirement, requirements))
    while waiting:
        wanted = waiting.pop()
        name = wanted.name.lower().replace("_", "-")
        if name in found and not wanted.extras:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError as error:
            raise InstallationError(f"{name} is not installed; install it, and ask again") from error
        inner = map(Requirement, found[name].requires or ())
        waiting += [one for one in inner if _holds(one, wanted.extras)]
    return found


def bytes_of(package: Distribution) -> int:
    """Bytes of a package's files, without those that Python compiles by itself."""
    paths = (Path(str(package.locate_file(file))) for file in package.files or ())
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())


def parts_table() -> str:
    """The packages of the base installation, the largest first, and all together.

    Raises:
        InstallationError: as of `needed`.
    """
    packages = needed([OURS])
    sizes = {name: bytes_of(package) for name, package in packages.items()}
    rows = [
        (name, packages[name].version, licence_of(packages[name].metadata), f"{size / MB:.1f}")
        for name, size in sorted(sizes.items(), key=lambda item: -item[1])
    ]
    together = ("together", "", "", f"{sum(sizes.values()) / MB:.1f}")
    return markdown_table(("package", "version", "licence", "MB"), [*rows, together])


def _holds(wanted: Requirement, extras: set[str]) -> bool:
    marker = wanted.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))
