"""Paths as Windows opens them, however long, and whatever their names; elsewhere they stay as they are.

Without the prefix a path ends at 260 characters, a dot or space at the end of a name is lost, and `aux.dcm`
is a device (Microsoft, "Maximum Path Length Limitation" and "Naming Files, Paths, and Namespaces").
"""

import ntpath
import sys
from pathlib import Path

_AS_IT_IS, _SHARE = "\\\\?\\", "\\\\?\\UNC\\"
_OTHER_KINDS = ("\\\\?\\", "\\\\.\\")  # prefixed already, or a device


def reachable(path: Path) -> Path:
    """A path that opens whatever its length and names; on Windows it is absolute and bears a prefix."""
    if sys.platform != "win32":
        return path
    return Path(as_it_is(ntpath.join(str(Path.cwd()), str(path))))


def plain(path: str) -> str:
    """A path without the prefix, as it is compared and shown."""
    if path.startswith(_SHARE):
        return f"\\\\{path.removeprefix(_SHARE)}"
    return path.removeprefix(_AS_IT_IS)


def as_it_is(path: str) -> str:
    r"""An absolute path of Windows with the prefix `\\?\`, behind which the system changes nothing."""
    if path.startswith(_OTHER_KINDS):
        return path
    normal = ntpath.normpath(path)  # behind the prefix neither `/` nor `..` has a meaning
    return f"{_SHARE}{normal[2:]}" if normal.startswith("\\\\") else f"{_AS_IT_IS}{normal}"
