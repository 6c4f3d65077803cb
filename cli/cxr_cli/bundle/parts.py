"""What the base installation consists of: each package that is here because of the program."""

from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from cxr_runtime.errors import InstallationError

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


def _holds(wanted: Requirement, extras: set[str]) -> bool:
    marker = wanted.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))
