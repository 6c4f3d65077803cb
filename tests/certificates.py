"""Certificates as a clinic has them, made by openssl."""

import shutil
import subprocess
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def openssl(*arguments: str, folder: Path) -> None:
    """Run it in a folder."""
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def _past() -> tuple[str, ...]:
    """How openssl makes a certificate that has ended: from 3.4 on by dates, before by days below 0."""
    told = subprocess.run(["openssl", "x509", "-help"], capture_output=True, text=True, check=True)
    if "-not_after" in told.stdout + told.stderr:
        return ("-not_before", "20200101000000Z", "-not_after", "20200102000000Z")
    return ("-days", "-1")


def certificate(folder: Path, name: str, signed_by: str | None = None, *, days: int = 2) -> Path:
    """A new key (NAME.key) and certificate (NAME.crt), and both in one PEM file.

    Args:
        folder: where they are put.
        name: of its subject, and of a host.
        signed_by: name of the authority, whose certificate was made before; None: by itself.
        days: that it lasts; -1: it ended yesterday.
    """
    openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
        "-keyout", f"{name}.key", "-out", f"{name}.csr", folder=folder,
    )  # fmt: skip
    (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{name}\nbasicConstraints=CA:TRUE\n")
    lasts = ("-days", str(days)) if days >= 0 else _past()
    signer = ("-CA", f"{signed_by}.crt", "-CAkey", f"{signed_by}.key", "-CAcreateserial")
    openssl(
        "x509", "-req", "-in", f"{name}.csr", *lasts, "-extfile", f"{name}.ext",
        "-out", f"{name}.crt", *(signer if signed_by else ("-signkey", f"{name}.key")), folder=folder,
    )  # fmt: skip
    joined = folder / f"{name}.pem"
    joined.write_text((folder / f"{name}.crt").read_text() + (folder / f"{name}.key").read_text())
    return joined
