"""Files that cannot be films by their names; they are counted, and never opened."""

PASSED_OVER_NAMES = frozenset({"dicomdir"})
_DOCUMENTS = "txt csv tsv json jsonl xml html htm css js pdf md rst log doc docx xls xlsx ppt odt ods rtf"
_PROGRAMS = "py pyc ipynb sh bat cmd ps1 exe dll so ini cfg conf toml yaml yml lock"
_DATA = "db sqlite sqlite-wal sqlite-shm npy npz onnx engine pt pth safetensors sha256 md5"
_LEFTOVERS = "lnk url part tmp bak"
PASSED_OVER_SUFFIXES = frozenset(f"{_DOCUMENTS} {_PROGRAMS} {_DATA} {_LEFTOVERS}".split())


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name, without its path, is hidden."""
    return name.startswith(".") and name not in (".", "..")


def is_passed_over(name: str) -> bool:
    """Whether a file of this name, without its path, is hidden or of a kind that holds no film."""
    lower = name.lower()
    if is_hidden(lower) or lower in PASSED_OVER_NAMES:
        return True
    stem, dot, suffix = lower.rpartition(".")
    return bool(stem and dot) and suffix in PASSED_OVER_SUFFIXES


def is_member_passed_over(name: str) -> bool:
    """The same for a member of a zip file, whose name bears its path."""
    *folders, last = name.replace("\\", "/").split("/")  # some programs on Windows write the wrong one
    return is_passed_over(last) or any(is_hidden(folder) for folder in folders)
