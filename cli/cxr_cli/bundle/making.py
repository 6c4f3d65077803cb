"""A bundle is made: wheels for one system, licences, pages, the list of parts, and the way to install."""

import shutil
import tarfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from cxr_cli.bundle.contents import (
    REFUSED,
    Part,
    bill_of_materials,
    digests,
    licence_texts,
    part_of,
    requirements,
)
from cxr_cli.bundle.packages import SYSTEMS, build_own_wheel, download, run
from cxr_runtime.errors import InstallationError, UsageError

OURS = "cxr-triage"
_INSTALLERS = ("install.sh", "install.ps1")
_PAGES = ("README.md", "CHANGELOG.md", "LICENSE")


@dataclass(frozen=True)
class Order:
    """What a bundle is made of, and for whom."""

    checkout: Path  # folder with pyproject.toml
    system: str  # a key of SYSTEMS
    python: str  # e.g. `3.11`
    extras: str  # e.g. `clinic`; "": none
    out: Path  # folder for the bundle
    models: tuple[Path, ...] = ()  # model folders that go with it


def make_bundle(order: Order) -> Path:
    """Make the bundle; the same checkout, and the same registry, give the same bytes.

    Returns:
        The file, a tar archive.

    Raises:
        UsageError: there is no clean checkout, or uv is missing.
        InstallationError: something cannot be built or downloaded, or has a licence that is refused.
    """
    if not (order.checkout / "pyproject.toml").is_file():
        raise UsageError(f"{order.checkout} holds no pyproject.toml; give the folder of a checkout")
    if run(["git", "-C", str(order.checkout), "status", "--porcelain"], {}).strip():
        raise UsageError(
            f"{order.checkout} holds changes that no commit has; commit them, or take a clean checkout"
        )
    moment = int(run(["git", "-C", str(order.checkout), "log", "-1", "--format=%ct"], {}))
    work = order.out / f".{order.system}.part"
    shutil.rmtree(work, ignore_errors=True)
    try:
        own = build_own_wheel(order.checkout, work / "own", moment)
        wheels = work / "wheels"
        wheels.mkdir()
        constraints = order.checkout / "constraints.txt"
        download(own, order.extras, SYSTEMS[order.system], order.python, constraints, wheels)
        version = part_of(own).version
        name = f"{OURS}-{version}-{order.system}-python{order.python}"
        filled = fill(work / name, wheels, order, moment)
        return pack(filled, order.out / f"{name}.tar", moment)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def fill(folder: Path, wheels: Path, order: Order, moment: int) -> Path:
    """Put everything into the folder that is packed.

    Args:
        folder: to be made.
        wheels: of all parts, ours among them; the folder is moved.
        order: pages and models come from it.
        moment: seconds since 1970 that the list of parts states.

    Raises:
        InstallationError: a part has a licence that is refused.
    """
    folder.mkdir(parents=True)
    shutil.move(wheels, folder / "wheels")
    parts = sorted(
        (part_of(wheel) for wheel in (folder / "wheels").glob("*.whl")), key=lambda part: part.name
    )
    refuse_licences(parts)
    (own,) = (part for part in parts if part.name == OURS)
    others = [part for part in parts if part is not own]
    for part in parts:
        licence_texts(part, folder / "licences")
    (folder / "sbom.json").write_text(bill_of_materials(own, others, moment), encoding="utf-8")
    (folder / "requirements.txt").write_text(requirements(parts), encoding="utf-8")
    for name in _INSTALLERS:
        (folder / name).write_text(
            files("cxr_cli.bundle").joinpath(name).read_text("utf-8"), encoding="utf-8"
        )
    shutil.copytree(order.checkout / "docs", folder / "docs")
    for page in _PAGES:
        shutil.copy(order.checkout / page, folder)
    for model in order.models:
        shutil.copytree(model, folder / "models" / model.name)
    (folder / "SHA256SUMS").write_text(digests(folder), encoding="utf-8")
    return folder


def refuse_licences(parts: list[Part]) -> None:
    """Pass on nothing under GPL or AGPL.

    Raises:
        InstallationError: a part is.
    """
    wrong = [f"{part.name} ({part.licence})" for part in parts if REFUSED.search(part.licence)]
    if wrong:
        raise InstallationError(f"{', '.join(wrong)} may not go with the program; leave out what needs it")


def pack(folder: Path, file: Path, moment: int) -> Path:
    """Pack a folder: sorted, with one time and no owner, so that the same files give the same bytes."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = moment
        is_program = entry.isdir() or entry.name.endswith(".sh")
        entry.mode = 0o755 if is_program else 0o644
        return entry

    part = file.with_name(f".{file.name}.part")
    with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in [folder, *sorted(folder.rglob("*"))]:
            shown = path.relative_to(folder.parent).as_posix()
            archive.add(path, shown, recursive=False, filter=plain)
    part.replace(file)
    return file
