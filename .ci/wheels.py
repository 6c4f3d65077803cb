"""Prints for which systems and Pythons a wheel of every dependency is there, as the table of docs/systems.md.

Needs `uv` on the path, and a registry; nothing is installed. `python .ci/wheels.py`
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {  # of the table -> as uv names it
    "Linux, x86-64": "x86_64-manylinux_2_36",  # as Debian 12 has it
    "Linux, ARM64": "aarch64-manylinux_2_36",
    "Windows, x86-64": "x86_64-pc-windows-msvc",
    "macOS 14, ARM64": "aarch64-apple-darwin",
    "macOS 14, Intel": "x86_64-apple-darwin",
}
EXTRAS = ("clinic", "openvino")
OLDEST_MACOS = "14.0"


def wanted() -> dict[str, list[str]]:
    """Requirements of the base install, and of it with each extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    base = [*project["tool"]["hatch"]["metadata"]["hooks"]["custom"]["dependencies"], "onnxruntime>=1.20"]
    extras = project["project"]["optional-dependencies"]

    def of(extra: str) -> list[str]:
        inner = [re.fullmatch(r"cxr-triage\[(\w+)\]", one) or one for one in extras[extra]]
        return [text for one in inner for text in ([one] if isinstance(one, str) else of(one[1]))]

    return {"base": base} | {extra: [*base, *of(extra)] for extra in EXTRAS}


def why_not(requirements: list[str], system: str, python: str) -> str:
    """What has no wheel, in the words of uv; "" if all have one."""
    command = ["uv", "pip", "compile", "-", "--only-binary", ":all:", "--no-header", "--quiet"]
    command += ["--python-platform", system, "--python-version", python]
    done = subprocess.run(
        command, input="\n".join(requirements), capture_output=True, text=True, check=False,
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": OLDEST_MACOS},
    )  # fmt: skip
    return " ".join(done.stderr.split()) if done.returncode else ""


def main() -> int:
    """Print the table; then what is missing. Exit status 1 if the base lacks a wheel."""
    print(f"| system | packages | {' | '.join(PYTHONS)} |")
    print("|---|---|" + "---|" * len(PYTHONS))
    lacks, is_base_whole = [], True
    for shown, system in SYSTEMS.items():
        for name, requirements in wanted().items():
            found = {python: why_not(requirements, system, python) for python in PYTHONS}
            print(f"| {shown} | {name} | {' | '.join('no' if why else 'yes' for why in found.values())} |")
            lacks += [f"{shown}, {name}, {python}: {why}" for python, why in found.items() if why]
            is_base_whole &= name != "base" or not any(found.values())
    print("\n".join(lacks))
    return 0 if is_base_whole else 1


if __name__ == "__main__":
    sys.exit(main())
