"""Python, the installed packages and those that break each other; codecs and fonts."""

import platform
import sys
from importlib import import_module
from importlib.metadata import (
    Distribution,
    PackageNotFoundError,
    distributions,
    packages_distributions,
    requires,
)
from typing import TYPE_CHECKING

from cxr_runtime.doctor.finding import Finding, State

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OLDEST_PYTHON = (3, 11)
OURS = "cxr-triage"
OPTIONAL = (
    "openvino", "tensorrt", "pycuda", "cuda-bindings", "torch", "onnx", "python-gdcm", "highdicom",
    "pynetdicom",
)  # fmt: skip
# Builds of one library that stand in for each other, and overwrite each other's files; the one to keep on a
# CPU first.
EXCLUSIVE = (
    ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml"),
    (
        "opencv-python-headless",
        "opencv-python",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
)
# One character of each script that the report's own font does not have.
SCRIPTS = {"Chinese": "中", "Japanese": "か", "Korean": "한", "Hindi": "ह", "Arabic": "ع", "Thai": "ท"}


def installed_packages() -> dict[str, str]:
    """Version of every installed package, by its name in lower case with dashes."""
    return {_name(found): found.version for found in distributions() if _name(found)}


def needed_packages() -> list[str]:
    """What cxr-triage's metadata says that it needs here without any extra, e.g. `numpy>=2.0`.

    Nothing where it runs without being installed.
    """
    from packaging.requirements import Requirement

    try:
        stated = [Requirement(text) for text in requires(OURS) or ()]
    except PackageNotFoundError:
        return []
    here = [one for one in stated if one.marker is None or one.marker.evaluate({"extra": ""})]
    return [f"{one.name}{one.specifier}" for one in here]


def check_python() -> Finding:
    """The interpreter and the operating system."""
    version = platform.python_version()
    told = f"{version} on {platform.system()} {platform.release()}, {platform.machine()}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("python", State.BROKEN, f"{told}; install Python 3.11 or later")
    return Finding("python", State.OK, told)


def check_packages(installed: dict[str, str] | None = None, needed: list[str] | None = None) -> Finding:
    """What a scan needs, and what else is there.

    Args:
        installed: versions by name; of this environment if None.
        needed: packages, each with the versions that will do; what cxr-triage's metadata says if None.
    """
    from packaging.requirements import Requirement

    installed = installed_packages() if installed is None else installed
    requirements = [Requirement(text) for text in (needed_packages() if needed is None else needed)]
    if not requirements:
        told = f"{OURS} runs without being installed, so what it needs is not known: pip install it"
        return Finding("packages", State.WARNING, told)
    builds = [name for group in EXCLUSIVE for name in group]
    known = dict.fromkeys([*(one.name for one in requirements), *OPTIONAL, *builds])
    found = tuple((name, installed[name]) for name in known if name in installed)
    wrong = [_what_is_wrong(one, installed) for one in requirements]
    faults = [fault for fault in wrong if fault]
    if faults:
        told = f"{', '.join(faults)}; install {OURS} anew"
        return Finding("packages", State.BROKEN, told, found)
    return Finding("packages", State.OK, ", ".join(f"{name} {version}" for name, version in found), found)


def check_imports(needed: list[str] | None = None) -> Finding:
    """Whether what a scan needs can be imported: a package may be listed as installed and not load.

    Args:
        needed: packages, each with the versions that will do; what cxr-triage's metadata says if None.
    """
    from packaging.requirements import Requirement

    names = {Requirement(text).name for text in (needed_packages() if needed is None else needed)}
    names |= {build for group in EXCLUSIVE for build in group if set(group) & names}
    modules = [
        module
        for module, packages in packages_distributions().items()
        if module.isidentifier() and {_plain(package) for package in packages} & names
    ]
    faults = [fault for module in sorted(modules) if (fault := _import_fault(module))]
    if faults:
        return Finding("imports", State.BROKEN, f"{'; '.join(faults)}: install {OURS} anew")
    return Finding("imports", State.OK, f"{len(modules)} modules load")


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


def check_codecs() -> Finding:
    """Every DICOM transfer syntax: read or not."""
    from cxr_runtime.reading.dicom.syntaxes import syntax_support

    support = syntax_support()
    details = tuple((found.uid, f"{'yes' if found.available else 'no'}: {found.name}") for found in support)
    read = [found for found in support if found.available]
    unread = [found.name for found in support if not found.available and not found.decoder]
    lacking = [
        f"{found.name} ({found.decoder})" for found in support if found.decoder and not found.available
    ]
    told = f"{len(read)} DICOM transfer syntaxes read; not read: {', '.join([*lacking, *unread]) or 'none'}"
    return Finding("codecs", State.WARNING if lacking else State.OK, told, details)


def check_fonts() -> Finding:
    """Scripts that the report can print beyond its own font."""
    from cxr_runtime.reports.pdf.other_fonts import font_for

    found = {script: font_for(character) for script, character in SCRIPTS.items()}
    details = tuple((script, font.path.name if font else "") for script, font in found.items())
    missing = [script for script, font in found.items() if font is None]
    if missing:
        return Finding(
            "fonts", State.ABSENT, f"none for {', '.join(missing)}: such names are spelt out in code", details
        )
    return Finding("fonts", State.OK, f"for all of {', '.join(found)}", details)


def _what_is_wrong(requirement: "Requirement", installed: dict[str, str]) -> str:
    """Why a package will not do, in a few words; "" where it will."""
    version = installed.get(requirement.name)
    if version is not None:
        is_too_old = not requirement.specifier.contains(version, prereleases=True)
        return f"{requirement.name} is {version}, needed is {requirement.specifier}" if is_too_old else ""
    has_other_build = any(requirement.name in group and installed.keys() & set(group) for group in EXCLUSIVE)
    return "" if has_other_build else f"{requirement.name} is missing"


def _import_fault(module: str) -> str:
    try:
        import_module(module)
    except (ImportError, OSError) as error:
        return f"{module} does not load ({' '.join(str(error).split())})"
    return ""


def _name(found: Distribution) -> str:
    return _plain(found.metadata["Name"] or "")


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
