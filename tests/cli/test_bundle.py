"""A bundle installs without a network, is the same when it is made again, and passes on no GPL."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from cxr_cli.bundle.contents import Part, bill_of_materials, part_of
from cxr_cli.bundle.making import OURS, Order, fill, pack, refuse_licences
from cxr_cli.bundle.packages import build_own_wheel
from cxr_runtime.errors import InstallationError

ROOT = Path(__file__).parents[2]
MOMENT = 1_790_000_000
OFFLINE = ("unshare", "--net")


def wheel(folder: Path, name: str, needs: str = "", licence: str = "Apache-2.0", says: str = " 1.0") -> Path:
    """A wheel with a module, a program of the package's name, and a licence."""
    module, stem = name.replace("-", "_"), f"{name.replace('-', '_')}-1.0"
    info, tags = f"{stem}.dist-info", "py3-none-any"
    stated = f"License-Expression: {licence}\n" + (f"Requires-Dist: {needs}\n" if needs else "")
    files = {
        f"{module}.py": f"def main():\n    print('{name}{says}')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{stated}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tags}\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {module}:main\n",
        f"{info}/licenses/LICENSE": f"{licence}, as a text\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-{tags}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(file), text)
    return path


def filled(folder: Path, says: str = " 1.0") -> Path:
    """A bundle of two small wheels, not packed yet."""
    wheels = folder / "wheels"
    wheel(wheels, OURS, needs="other", says=says)
    wheel(wheels, "other", licence="BSD-3-Clause")
    order = Order(ROOT, "linux-x86-64", "3.11", "", folder)
    return fill(folder / "bundle", wheels, order, MOMENT)


@pytest.mark.skipif(shutil.which("unshare") is None or os.geteuid() != 0, reason="needs unshare, as root")
def test_a_bundle_installs_in_a_network_that_is_empty_and_another_of_its_version_over_it(
    tmp_path: Path,
) -> None:
    for says in (" 1.0", " mended"):
        folder = filled(tmp_path / says.strip(), says)
        command = [*OFFLINE, "sh", str(folder / "install.sh"), str(tmp_path / "there")]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHON": sys.executable}
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{OURS}{says}\n")
    assert (tmp_path / "there" / "bin" / "other").exists()


def test_our_wheel_comes_out_as_the_same_bytes_when_it_is_built_again(tmp_path: Path) -> None:
    wheel = build_own_wheel(ROOT, tmp_path, MOMENT)
    with zipfile.ZipFile(wheel) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(2026, 9, 21)}  # of MOMENT
    assert part_of(wheel).licence == "Apache-2.0"


def test_a_bundle_that_was_changed_installs_nothing(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    (changed,) = (folder / "wheels").glob("other-*.whl")
    changed.write_bytes(changed.read_bytes() + b"\0")
    done = subprocess.run(
        ["sh", str(folder / "install.sh"), str(tmp_path / "there")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "the bundle is damaged or was changed" in done.stderr
    assert not (tmp_path / "there").exists()


def test_pip_takes_no_other_wheel_than_the_stated_one(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    lines = (folder / "requirements.txt").read_text().splitlines()
    for line in lines:
        name, digest = line.split(" --hash=sha256:")
        (file,) = (folder / "wheels").glob(f"{name.partition('==')[0].replace('-', '_')}-*.whl")
        assert sha256(file.read_bytes()).hexdigest() == digest
    assert len(lines) == 2


def test_the_same_bundle_comes_out_as_the_same_bytes(tmp_path: Path) -> None:
    packed = [pack(filled(tmp_path / name), tmp_path / f"{name}.tar", MOMENT) for name in ("one", "two")]
    assert packed[0].read_bytes() == packed[1].read_bytes()
    with tarfile.open(packed[0]) as archive:
        names = archive.getnames()
        assert {entry.mtime for entry in archive} == {MOMENT}
    for name in ("install.sh", "install.ps1", "sbom.json", "SHA256SUMS", "docs/clinic-it.md", "LICENSE"):
        assert f"bundle/{name}" in names
    assert "bundle/licences/other/licenses-LICENSE" in names


def test_the_list_of_parts_names_each_with_its_digest_and_licence(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    stated = json.loads((folder / "sbom.json").read_text())
    assert (stated["bomFormat"], stated["specVersion"]) == ("CycloneDX", "1.6")
    assert stated["metadata"]["component"]["purl"] == f"pkg:pypi/{OURS}@1.0"
    (other,) = stated["components"]
    (file,) = (folder / "wheels").glob("other-*.whl")
    assert other["hashes"] == [{"alg": "SHA-256", "content": sha256(file.read_bytes()).hexdigest()}]
    assert other["licenses"] == [{"license": {"name": "BSD-3-Clause"}}]


@pytest.mark.parametrize(
    ("licence", "is_refused"),
    [
        ("GPL-3.0-only", True), ("AGPL-3.0-or-later", True), ("GNU General Public License v3 (GPLv3)", True),
        ("GNU Affero General Public License v3", True), ("LGPL-3.0-only", False), ("MIT", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False), ("Apache-2.0 AND BSD-3-Clause", False),
    ],
)  # fmt: skip
def test_gpl_and_agpl_go_into_no_bundle(licence: str, is_refused: bool) -> None:
    part = Part(Path("a.whl"), "a", "1", licence, "0" * 64)
    if is_refused:
        with pytest.raises(InstallationError, match="may not go with the program"):
            refuse_licences([part])
    else:
        refuse_licences([part])


def test_parts_are_listed_alike_whenever_that_is_done(tmp_path: Path) -> None:
    own, other = part_of(wheel(tmp_path, OURS)), part_of(wheel(tmp_path, "other"))
    assert bill_of_materials(own, [other], MOMENT) == bill_of_materials(own, [other], MOMENT)


@pytest.mark.skipif("CXR_TRIAGE_BUNDLE" not in os.environ, reason="CXR_TRIAGE_BUNDLE names no bundle")
def test_the_whole_bundle_installs_and_scans_in_an_empty_network(tmp_path: Path) -> None:
    with tarfile.open(os.environ["CXR_TRIAGE_BUNDLE"]) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    script = f"""
set -eu
sh {folder}/install.sh {tmp_path}/there
{tmp_path}/there/bin/cxr-triage scan {ROOT}/examples --out {tmp_path}/out
{tmp_path}/there/bin/cxr-triage doctor
"""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHON": sys.executable}
    command = [*OFFLINE, "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "12 scored" in done.stdout
    assert "a scan on the processor works" in done.stdout
