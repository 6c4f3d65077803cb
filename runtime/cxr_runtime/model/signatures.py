"""Signatures of model folders (Ed25519, RFC 8032): who vouches that a folder is as it was handed over.

Whoever writes a folder can write its digests, too. A signature can be made by nobody but who has the key; its
public half, which the clinic got on another way, lies with the user's data, below `signers`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from cxr_runtime.access import PRIVATE
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import CalibrationError, ModelError, UsageError
from cxr_runtime.files import CALIBRATION_FILE, MANIFEST_FILE, MODEL_FILE
from cxr_runtime.folders import data_root
from cxr_runtime.model.own_digest import mark_of, read_plain
from cxr_runtime.names import printable
from cxr_runtime.typed_json import to_json

SIGNATURE_FILE = "signature.json"
SIGNERS, PUBLIC = "signers", ".pub"  # folder, and ending of a file with a public key in it
USED = (MANIFEST_FILE, MODEL_FILE, CALIBRATION_FILE)  # must be signed if they are there; others may be added
_PURPOSE = b"cxr-triage model folder 1\n"  # so that a signature for another purpose is none
_HEX = re.compile("[0-9a-f]+")
_KEY_BYTES, _SIGNATURE_BYTES = 32, 64
_MOST_BYTES = 1 << 31  # of a file


def new_key(file: Path) -> str:
    """Draw a key: the secret half goes into `file`, for its owner alone, the public one beside it.

    Returns:
        The public half, 64 hex digits.

    Raises:
        UsageError: the file is there already.
    """
    from nacl.signing import SigningKey

    if file.exists():
        raise UsageError(
            f"{printable(str(file))} is there already; expected a new file, for a key is never replaced"
        )
    key = SigningKey.generate()
    write_bytes(file, f"{bytes(key).hex()}\n".encode(), PRIVATE)
    public = bytes(key.verify_key).hex()
    write_bytes(file.with_name(file.name + PUBLIC), f"{public}\n".encode())
    return public


def sign(folder: Path, key_file: Path) -> None:
    """Write `signature.json` into a model folder; a later change of any file in it makes the signature wrong.

    Raises:
        UsageError: the key is none.
        ModelError: a file cannot be read.
    """
    from nacl.signing import SigningKey

    key = SigningKey(_key(key_file))
    files = {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.name != SIGNATURE_FILE}
    stated = {
        "files": files,
        "signer": bytes(key.verify_key).hex(),
        "signature": key.sign(_message(files)).signature.hex(),
    }
    write_bytes(folder / SIGNATURE_FILE, to_json(stated).encode())


def signer_of(folder: Path) -> str | None:
    """Whose signature a model folder bears, by the name of the file of the public key.

    Returns:
        The name; None where it bears none, or that of somebody whose key is not here.

    Raises:
        ModelError: the signature is not that of the folder as it is: a signed file was changed or removed.
    """
    file = folder / SIGNATURE_FILE
    if not file.exists():
        return None
    try:
        stated = json.loads(read_plain(file))
        files, signer = stated["files"], _bytes(stated["signer"], _KEY_BYTES)
        _check(signer, _message(files), _bytes(stated["signature"], _SIGNATURE_BYTES))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{printable(str(file))} is not a signature ({error}); get the model folder again"
        ) from error
    there = {path.name for path in folder.iterdir()}
    wrong = sorted(
        name
        for name in {*files, *there.intersection(USED)}
        if name not in there or files.get(name) != _digest(folder / name)
    )
    if wrong:
        raise ModelError(
            f"{printable(' and '.join(wrong))} in {printable(str(folder))} changed since the folder was "
            "signed; get it again, or have it signed anew"
        )
    return next((name for name, key in _trusted() if key == signer), None)


def check_signed(folder: Path) -> None:
    """Refuse a model folder that nobody has signed whose key is here.

    Raises:
        ModelError: it bears no such signature.
    """
    if signer_of(folder) is None:
        raise ModelError(
            f"{printable(str(folder))} bears no signature of anybody whose key is in {signers_folder()}; put "
            f"the public key of who made the model there (NAME{PUBLIC}), or leave out --require-signed"
        )


def signer(folder: Path, *, require_signed: bool) -> str | None:
    """Who signed a model folder; unless that is required, the library for it may be missing.

    Raises:
        ModelError: the signature is wrong, or is required and missing.
    """
    if require_signed:
        check_signed(folder)
    return signer_of(folder) if require_signed or find_spec("nacl") is not None else None


def check_own(calibration: Path) -> None:
    """Refuse a calibration from elsewhere.

    Raises:
        CalibrationError: another machine made it.
    """
    if calibration.is_file() and not mark_of(read_plain(calibration)).is_ours:
        raise CalibrationError(
            f"{calibration} was not made on this machine, and nobody signed it; calibrate here, or leave out "
            "--require-signed"
        )


def signers_folder() -> Path:
    """Where the public keys of trusted signers lie; it need not exist."""
    return (data_root() or Path()) / SIGNERS


def _trusted() -> Iterator[tuple[str, bytes]]:
    folder = signers_folder()
    for path in sorted(folder.glob(f"*{PUBLIC}")) if folder.is_dir() else ():
        yield printable(path.stem), _key(path)


def _key(file: Path) -> bytes:
    try:
        return _bytes(file.read_text(encoding="ascii").strip(), _KEY_BYTES)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{printable(str(file))} is not a key ({error}); expected one of `cxr-triage lab signing-key`"
        ) from error


def _bytes(text: object, count: int) -> bytes:
    if not (isinstance(text, str) and _HEX.fullmatch(text) and len(text) == 2 * count):
        raise ValueError(f"expected {2 * count} hex digits")
    return bytes.fromhex(text)


def _message(files: Mapping[str, str]) -> bytes:
    return _PURPOSE + json.dumps(dict(files), sort_keys=True).encode()


def _check(signer: bytes, message: bytes, signature: bytes) -> None:
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    try:
        VerifyKey(signer).verify(message, signature)
    except BadSignatureError as error:
        raise ValueError("it was not made with the key that it names") from error


def _digest(path: Path) -> str:
    try:
        return sha256(read_plain(path, _MOST_BYTES)).hexdigest()
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{printable(str(path))} cannot be read ({error}); get the model folder again"
        ) from error
