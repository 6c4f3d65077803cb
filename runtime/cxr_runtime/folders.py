"""Folders of this user that the program keeps of its own accord: the cache, the key of seals, and data."""

import os
import secrets
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

from cxr_runtime.atomic import NEW_FILE
from cxr_runtime.errors import BackendError

CACHE_VARIABLE = "CXR_TRIAGE_CACHE"  # names another folder for all of the cache
DATA_VARIABLE = "CXR_TRIAGE_DATA"  # names another folder for what must last
_NAME = "cxr-triage"
KEYS_FOLDER, KEY_FILE = "keys", "seal.key"
KEY_BYTES = 32
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cache_root() -> Path:
    """The folder that holds all of the cache: engines, self-tests, prepared films. It need not exist.

    Where the user has no home (HOME is not set and the system does not know the user, as in many
    containers), it is a folder of this user's among the temporary files.
    """
    stated = os.environ.get(CACHE_VARIABLE)
    if stated:
        return Path(stated)
    try:
        usual = user_cache_path(_NAME, appauthor=False, opinion=False)
    except RuntimeError:  # no home; earlier versions of platformdirs answer with a path that begins with ~
        usual = Path("~")
    return usual if usual.is_absolute() else Path(tempfile.gettempdir(), f"{_NAME}-{_user()}")


def data_root() -> Path | None:
    """The folder for what must last, whatever becomes of the program and its cache; it need not exist.

    Where a system has one folder for both (Windows), it lies beside the cache.

    Returns:
        The folder, or None where the user has no home and no other folder is named.
    """
    stated = os.environ.get(DATA_VARIABLE)
    if stated:
        return Path(stated)
    try:
        usual = user_data_path(_NAME, appauthor=False)
        cache = user_cache_path(_NAME, appauthor=False, opinion=False)
    except RuntimeError:  # as in `cache_root`
        return None
    if not usual.is_absolute():
        return None
    return usual.with_name(f"{_NAME}-data") if usual == cache else usual


def cache_folder(name: str) -> Path:
    """A folder of the cache, made when it is missing, that nobody but this user can write.

    Args:
        name: e.g. `engines`.

    Raises:
        BackendError: it cannot be made, or others could put files into it.
    """
    return own_folder(cache_root(), name)


def own_folder(root: Path, name: str) -> Path:
    """A folder of the cache or of the user's data, and nobody else's; as `cache_folder`.

    Args:
        root: `cache_root` or `data_root`.
        name: e.g. `keys`.

    Raises:
        BackendError: as of `cache_folder`.
    """
    folder = root / name
    try:
        if root.parent == Path(tempfile.gettempdir()):  # where anybody may have made it before us
            root.mkdir(exist_ok=True, mode=0o700)
            _refuse_shared(root, root)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _refuse_shared(folder, root)
    except OSError as error:
        raise BackendError(
            f"{_what(root)} {folder} cannot be used ({error.strerror}); "
            f"set {_variable(root)} to a folder of your own"
        ) from error
    return folder


def machine_key() -> bytes | None:
    """The secret by which this user's files of this machine are known; made on first use.

    It lies with the user's data, where no cleaning of caches takes it away; with the cache where the user has
    no home. One that an earlier program left in the cache is moved.

    Returns:
        KEY_BYTES bytes, or None where it can be neither read nor kept, or others could change it.
    """
    try:
        folder = own_folder(data_root() or cache_root(), KEYS_FOLDER)
        if not (folder / KEY_FILE).is_file():
            _move_from_cache(folder)
        return secret_in(folder)
    except (OSError, BackendError):
        return None


def _move_from_cache(folder: Path) -> None:
    old = cache_root() / KEYS_FOLDER / KEY_FILE
    with suppress(OSError, BackendError):
        _refuse_shared(old.parent, cache_root())
        secret = old.read_bytes()
        if len(secret) == KEY_BYTES:
            _keep_secret(folder / KEY_FILE, secret)
            old.unlink()


def secret_in(folder: Path, name: str = KEY_FILE) -> bytes:
    """The secret that lies in a folder, which is drawn on first use; two that draw it at once get the same.

    Raises:
        OSError: it cannot be read or written.
    """
    path = folder / name
    if path.is_file() and path.stat().st_size != KEY_BYTES:  # a power cut came between
        path.unlink()
    if not path.is_file():
        _keep_secret(path, secrets.token_bytes(KEY_BYTES))
    return path.read_bytes()


def _keep_secret(path: Path, secret: bytes) -> None:
    """Write a secret as a whole; one that is there already stays."""
    drawn = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(drawn, NEW_FILE, 0o600), "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(drawn, path)
        except FileExistsError:  # another process was first
            return
        except OSError:  # a file system without hard links
            drawn.replace(path)
    finally:
        drawn.unlink(missing_ok=True)


def home_folder() -> Path | None:
    """The user's home, or None where the system knows of none."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _refuse_shared(folder: Path, root: Path) -> None:
    found = folder.stat()
    if sys.platform != "win32" and (found.st_uid != _user() or found.st_mode & _OTHERS_MAY_WRITE):
        raise BackendError(
            f"other users can write into {_what(root)} {folder}; what lies there is trusted, so it is not "
            f"used: chmod 700 it, or set {_variable(root)} to a folder of your own"
        )


def _what(root: Path) -> str:
    return "the cache" if root == cache_root() else "the folder of data"


def _variable(root: Path) -> str:
    return CACHE_VARIABLE if root == cache_root() else DATA_VARIABLE


def _user() -> int:
    return os.getuid() if sys.platform != "win32" else 0
