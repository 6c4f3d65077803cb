"""A film's own name apart from the folders and zip file it lies in."""

import re

# Ends of folders: a slash, the mark behind a zip file, and the backslash of Windows; not the backslash that
# spells out an unseen character (printable.py).
_SEPARATOR = re.compile(r"/|(?<=\.zip)!|\\(?!x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})", re.IGNORECASE)


def folder_and_name(file: str) -> tuple[str, str]:
    """Split a film as named in results.csv; the two parts together are `file`, the name is its end."""
    ends = [found.end() for found in _SEPARATOR.finditer(file) if found.end() < len(file)]
    end = ends[-1] if ends else 0
    return file[:end], file[end:]
