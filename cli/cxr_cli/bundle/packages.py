"""The wheels of a bundle: resolved for a system, downloaded with their digests, and our own, built twice."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cxr_runtime.errors import InstallationError, UsageError


@dataclass(frozen=True)
class System:
    """A kind of machine that a bundle is for."""

    uv: str  # its name for uv
    pip: tuple[str, ...]  # tags of wheels that it takes (PEP 425), the newest first


def _linux(machine: str) -> tuple[str, ...]:
    newer = [f"manylinux_2_{minor}_{machine}" for minor in range(36, 16, -1)]  # Debian 12 has glibc 2.36
    return (*newer, f"manylinux2014_{machine}", f"linux_{machine}")


def _macos(machine: str) -> tuple[str, ...]:
    kinds = (machine, "universal2")
    return tuple(f"macosx_{major}_0_{kind}" for major in range(14, 10, -1) for kind in kinds)


SYSTEMS = {
    "linux-x86-64": System("x86_64-manylinux_2_36", _linux("x86_64")),
    "linux-arm64": System("aarch64-manylinux_2_36", _linux("aarch64")),
    "windows-x86-64": System("x86_64-pc-windows-msvc", ("win_amd64",)),
    "macos-arm64": System("aarch64-apple-darwin", _macos("arm64")),
    "macos-x86-64": System(
        "x86_64-apple-darwin",
        (*_macos("x86_64"), *(f"macosx_10_{minor}_x86_64" for minor in (15, 13, 12, 9))),
    ),
}


def build_own_wheel(checkout: Path, out: Path, moment: int) -> Path:
    """Build our wheel twice, and see that both are the same bytes.

    Args:
        checkout: the folder with pyproject.toml.
        out: folder for the wheel.
        moment: seconds since 1970 that every file in it bears (SOURCE_DATE_EPOCH).

    Raises:
        InstallationError: it cannot be built, or comes out differently.
    """
    built = [_build(checkout, out / name, moment) for name in ("first", "second")]
    first, second = (sha256(wheel.read_bytes()).hexdigest() for wheel in built)
    if first != second:
        raise InstallationError(
            f"the wheel came out differently when it was built again ({first[:12]}, {second[:12]})"
        )
    shutil.rmtree(out / "second")
    return built[0]


def _build(checkout: Path, out: Path, moment: int) -> Path:
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(out),
        str(checkout),
    ]
    run(command, {"SOURCE_DATE_EPOCH": str(moment)})
    (wheel,) = out.glob("*.whl")
    return wheel


def download(own: Path, extras: str, system: System, python: str, constraints: Path, out: Path) -> None:
    """Put our wheel and every wheel that it needs there into `out`.

    Args:
        own: our wheel.
        extras: of it, e.g. `clinic`; "": none.
        system: that the wheels are for.
        python: version of it, e.g. `3.11`.
        constraints: file of the versions that the tests were run with.
        out: folder for the wheels.

    Raises:
        UsageError: uv is not installed.
        InstallationError: there is no wheel of something, or the network does not answer.
    """
    if shutil.which("uv") is None:
        raise UsageError("uv is not on the path, which resolves packages for other systems; `pip install uv`")
    wanted, lock = out / "wanted.txt", out / "lock.txt"
    wanted.write_text(
        f"cxr-triage{f'[{extras}]' if extras else ''} @ {own.resolve().as_uri()}\n", encoding="utf-8"
    )
    run(
        ["uv", "pip", "compile", str(wanted), "--only-binary", ":all:", "--generate-hashes", "--no-header",
         "--no-annotate", "--constraint", str(constraints), "--python-platform", system.uv,
         "--python-version", python, "--no-emit-package", "cxr-triage", "--output-file", str(lock),
         "--quiet"],
        {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
    )  # fmt: skip
    tags = [word for tag in system.pip for word in ("--platform", tag)]
    run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
         "--require-hashes", "--requirement", str(lock), "--dest", str(out), *tags,
         "--python-version", python, "--implementation", "cp"],
        {},
    )  # fmt: skip
    wanted.unlink()
    lock.unlink()
    shutil.copy(own, out)


def run(command: Sequence[str], variables: dict[str, str]) -> str:
    """Run a program; what it printed.

    Raises:
        InstallationError: it failed.
    """
    done = subprocess.run(
        command, env={**os.environ, **variables}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        said = " ".join(done.stderr.split())[-1000:] or "it said nothing"
        raise InstallationError(f"{Path(command[0]).name} {' '.join(command[1:4])} failed: {said}")
    return done.stdout
