import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUNTIME = ROOT / "runtime" / "cxr_runtime"
FOLDERS = {
    "cxr_runtime": "runtime",
    "cxr_calibration": "calibration",
    "cxr_train": "train",
    "cxr_export": "export",
    "cxr_cli": "cli",
}
MAY_IMPORT = {
    "cxr_runtime": set(),
    "cxr_calibration": {"cxr_runtime"},
    "cxr_train": {"cxr_runtime", "cxr_calibration"},
    "cxr_export": {"cxr_runtime", "cxr_calibration", "cxr_train"},
    "cxr_cli": {"cxr_runtime", "cxr_calibration", "cxr_train", "cxr_export"},
}
# Rooms of the runtime, from the top floor down: a room imports from lower floors alone. Files of its root, as
# errors.py and film.py, are the ground that all stand on; `cxr_runtime/__init__.py` is the front door.
FLOORS = (
    ("appliance", "benchmark", "doctor"),
    ("arrivals", "cluster"),
    ("scanning", "server"),
    ("backends", "reports", "sending"),
    ("gate", "model", "store"),
    ("heat", "lungs", "phantom", "reading", "sources", "workers"),
)
OF_THE_EXTRA_DICOM = {"highdicom", "pynetdicom", "PIL"}  # for some rooms alone
NOT_IN_THE_BASE_INSTALL = {"torch", "onnx", "matplotlib", "scipy", "sklearn", "skimage", "pandas"}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


def imported_by(package: str) -> set[str]:
    files = (ROOT / FOLDERS[package] / package).rglob("*.py")
    return {name for file in files for name in imported(file)}


@pytest.mark.parametrize("package", FOLDERS)
def test_a_package_imports_only_those_its_arrows_point_to(package: str) -> None:
    ours = imported_by(package) & FOLDERS.keys()
    assert ours - {package} <= MAY_IMPORT[package]


@pytest.mark.parametrize("package", ["cxr_runtime", "cxr_calibration"])
def test_what_a_clinic_installs_needs_nothing_of_the_laboratory(package: str) -> None:
    assert imported_by(package).isdisjoint(NOT_IN_THE_BASE_INSTALL)


@pytest.mark.parametrize("package", FOLDERS)
def test_the_extra_dicom_is_needed_by_results_their_sending_and_the_receiver_alone(package: str) -> None:
    places = {
        RUNTIME / "arrivals" / "receiver",
        RUNTIME / "benchmark" / "receiving.py",
        RUNTIME / "reports" / "dicom",
        RUNTIME / "sending",
    }
    files = (ROOT / FOLDERS[package] / package).rglob("*.py")
    others = (file for file in files if places.isdisjoint({file, *file.parents}))
    assert not {name for file in others for name in imported(file)} & OF_THE_EXTRA_DICOM


def rooms_imported_by(file: Path) -> Iterator[str]:
    """Rooms of the runtime that one of its files imports from."""
    rooms = {room for floor in FLOORS for room in floor}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "cxr_runtime":
            yield from (alias.name for alias in node.names if alias.name in rooms)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("cxr_runtime."):
            yield from rooms & {node.module.split(".")[1]}
        elif isinstance(node, ast.Import):
            paths = (alias.name.split(".") for alias in node.names)
            yield from (
                path[1] for path in paths if path[0] == "cxr_runtime" and path[1:2] and path[1] in rooms
            )


def test_every_room_of_the_runtime_stands_on_a_floor() -> None:
    found = {path.name for path in RUNTIME.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert found == {room for floor in FLOORS for room in floor}


@pytest.mark.parametrize("height", range(len(FLOORS)), ids=["+".join(floor) for floor in FLOORS])
def test_a_room_of_the_runtime_imports_from_lower_floors_alone(height: int) -> None:
    below = {room for floor in FLOORS[height + 1 :] for room in floor}
    for room in FLOORS[height]:
        for file in (RUNTIME / room).rglob("*.py"):
            up = set(rooms_imported_by(file)) - below - {room}
            assert not up, f"{file.relative_to(RUNTIME)} imports from {up}"


def test_the_server_stands_on_the_store_and_never_on_what_scores() -> None:
    for file in (RUNTIME / "server").rglob("*.py"):
        assert not {"scanning", "backends", "arrivals", "sending"} & set(rooms_imported_by(file)), file.name


def test_the_room_of_the_store_alone_connects_to_a_file_of_sqlite() -> None:
    connecting = {
        file.parent
        for folder in FOLDERS.values()
        for file in (ROOT / folder).rglob("*.py")
        for first in re.findall(r"sqlite3\.connect\(\s*([^\s,)]+)", file.read_text(encoding="utf-8"))
        if first != '":memory:"'
    }
    assert connecting == {RUNTIME / "store"}


def test_the_ground_of_the_runtime_imports_from_no_room() -> None:
    for file in RUNTIME.glob("*.py"):
        if file.name != "__init__.py":
            assert not set(rooms_imported_by(file)), file.name


@pytest.mark.parametrize("heavy", ["pydicom", "highdicom", "pynetdicom", "PIL.ImageFont"])
def test_a_scan_without_dicom_results_loads_nothing_of_them(heavy: str) -> None:
    program = f"import sys, cxr_runtime.scanning.session; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("heavy", ["numpy", "cv2", "onnxruntime", "pydicom", "torch", "fpdf"])
def test_showing_help_loads_nothing_heavy(heavy: str) -> None:
    program = f"import sys, cxr_cli.main, cxr_cli.commands; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


ROOMS = {  # and modules beside them, from the ground up
    "cxr_calibration": (
        "statistics", "labels", "monitoring", "fit", "pages", "calibrate", "monitor", "out_of_fold",
        "unlabelled",
    ),
    "cxr_train": (
        "tracing", "quantising", "data", "networks", "recipe", "checkpoint", "prediction", "loop", "heat",
        "evaluation", "explain", "truth", "small", "run", "search", "pages",
    ),
    "cxr_export": (
        "tidy", "trace", "parity", "films", "precision", "folder", "checkpoint", "importing", "gpu", "scale",
        "peers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("package", ROOMS)
def test_every_room_and_every_file_beside_the_rooms_has_its_place_in_the_row(package: str) -> None:
    here = ROOT / FOLDERS[package] / package
    rooms = {path.name for path in here.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert rooms | {path.stem for path in here.glob("*.py")} - {"__init__"} == set(ROOMS[package])


@pytest.mark.parametrize(
    ("package", "room"), [(name, room) for name, rooms in ROOMS.items() for room in rooms]
)
def test_a_room_imports_only_those_below_it(package: str, room: str) -> None:
    place = ROOT / FOLDERS[package] / package / room
    files = list(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    modules = {
        node.module
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{package}.")
    }
    allowed = ROOMS[package][: ROOMS[package].index(room) + 1]
    assert {module.split(".")[1] for module in modules} <= set(allowed)
