"""`cxr-triage lab signing-key` and `sign`: model folders that others can trust."""

from pathlib import Path
from typing import Annotated

import typer


def make_signing_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="New file for the secret half.")],
) -> int:
    """Draw a key to sign model folders with.

    FILE is the secret half: keep it as you keep a password. FILE.pub is the public half: give it to the
    clinics, on another way than the models.
    """
    from cxr_runtime.model.signatures import PUBLIC, new_key

    typer.echo(f"{new_key(file)}  {file}{PUBLIC}")
    return 0


def sign_model(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The model folder.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="What `lab signing-key` wrote.")],
) -> int:
    """Sign a model folder: write signature.json into it.

    Whatever changes in the folder afterwards makes the signature wrong, and then nothing opens the folder.
    """
    from cxr_runtime.model.folder import open_model
    from cxr_runtime.model.signatures import SIGNATURE_FILE, sign

    (folder / SIGNATURE_FILE).unlink(missing_ok=True)
    open_model(folder, allow_uncalibrated=True)
    sign(folder, key)
    typer.echo(f"{folder / SIGNATURE_FILE}")
    return 0
