"""The failures that several readers share, worded once."""

from cxr_runtime.errors import UnreadableFilmError


def truncated(what: str) -> UnreadableFilmError:
    """The file ends before its picture does; `what` names the part that is missing."""
    return UnreadableFilmError("truncated", f"the file ends early, {what}; copy or export the film again")


def damaged(what: str) -> UnreadableFilmError:
    """The file contradicts itself or its picture cannot be decoded; `what` says how."""
    return UnreadableFilmError("damaged", f"the file is damaged, {what}; copy or export the film again")


def unsupported(what: str) -> UnreadableFilmError:
    """The file is sound but coded in a way that is not read; `what` names it."""
    return UnreadableFilmError(
        "unsupported", f"{what} is not read; export the film as uncompressed DICOM or as PNG"
    )
