"""Python and the installed packages, and those that break each other."""

import platform
import sys
from importlib.metadata import Distribution, distributions

from cxr_runtime.doctor.finding import Finding, State

OLDEST_PYTHON = (3, 11)
NEEDED = ("numpy", "opencv-python-headless", "pydicom", "imagecodecs", "fpdf2", "typer")
OPTIONAL = (
    "openvino", "tensorrt", "pycuda", "cuda-bindings", "torch", "onnx", "python-gdcm",
)  # fmt: skip
# Builds of one library that overwrite each other's files, the one to keep on a CPU first.
EXCLUSIVE = (
    ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml"),
    (
        "opencv-python-headless",
        "opencv-python",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
)


def installed_packages() -> dict[str, str]:
    """Version of every installed package, by its name in lower case with dashes."""
    return {_name(found): found.version for found in distributions() if _name(found)}


def check_python() -> Finding:
    """The interpreter and the operating system."""
    version = platform.python_version()
    told = f"{version} on {platform.system()} {platform.release()}, {platform.machine()}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("python", State.BROKEN, f"{told}; install Python 3.11 or later")
    return Finding("python", State.OK, told)


def check_packages(installed: dict[str, str] | None = None) -> Finding:
    """What a scan needs, and what else is there.

    Args:
        installed: versions by name; of this environment if None.
    """
    installed = installed_packages() if installed is None else installed
    known = (*NEEDED, *OPTIONAL, *(name for group in EXCLUSIVE for name in group))
    found = tuple((name, installed[name]) for name in dict.fromkeys(known) if name in installed)
    missing = [name for name in NEEDED if name not in installed and not _has_other_build(name, installed)]
    if not any(name in installed for name in EXCLUSIVE[0]):
        missing.append("onnxruntime")
    if missing:
        told = f"missing: {', '.join(missing)}; install cxr-triage anew"
        return Finding("packages", State.BROKEN, told, found)
    return Finding("packages", State.OK, ", ".join(f"{name} {version}" for name, version in found), found)


def check_conflicts(installed: dict[str, str] | None = None) -> Finding:
    """Builds of one library that overwrite each other.

    Args:
        installed: versions by name; of this environment if None.
    """
    installed = installed_packages() if installed is None else installed
    mixes = [[name for name in group if name in installed] for group in EXCLUSIVE]
    mixes = [mix for mix in mixes if len(mix) > 1]
    if not mixes:
        return Finding("conflicts", State.OK, "none")
    told = "; ".join(
        f"{' and '.join(mix)} overwrite each other: `pip uninstall {' '.join(mix)}`, then install one"
        for mix in mixes
    )
    return Finding("conflicts", State.WARNING, told, tuple((mix[0], " ".join(mix[1:])) for mix in mixes))


def _has_other_build(name: str, installed: dict[str, str]) -> bool:
    return any(name in group and any(other in installed for other in group) for group in EXCLUSIVE)


def _name(found: Distribution) -> str:
    return (found.metadata["Name"] or "").lower().replace("_", "-")
