"""docs/clinic-it.md, word by word, in a fresh Debian, with its apt-get and pip; systemd alone is played.

CXR_TRIAGE_DEBIAN names its root as a tar file (`mmdebstrap --variant=minbase bookworm debian.tar`), and
CXR_TRIAGE_WHEELS a folder with the wheels of a bundle and of hatchling, from which pip installs.
"""

import os
import socket
import subprocess
import tarfile
from pathlib import Path

import pytest

from test_clinic_it import PACS, PLAYED, UNIT, check, checkout, commands, watched

PATIENCE = 1800  # seconds
INSIDE = "/root/source"  # folder of the program
# sudo would stand between, with a number of its own.
AS = "env HOME=/var/lib/cxr-triage setpriv --init-groups --reuid"
PIP = "[global]\nno-index = true\nfind-links = /mnt\n"
NETWORK, ADDRESSES = ("--net",), PACS.strip().splitlines()[0].partition("; mkdir")[0]
ROOM = """
mount --make-rprivate /; mount --bind {root} {root}
mount -t proc proc {root}/proc; mount --rbind /dev {root}/dev; mount --bind {wheels} {root}/mnt
exec chroot {root} /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \\
  KEEP=/root/keep DEBIAN_FRONTEND=noninteractive /bin/bash -eu -o pipefail -c 'cd {inside}; . /root/commands'
"""


@pytest.mark.skipif(
    not {"CXR_TRIAGE_DEBIAN", "CXR_TRIAGE_WHEELS"} <= os.environ.keys(), reason="no Debian is named"
)
def test_a_fresh_debian_follows_the_page(tmp_path: Path) -> None:
    root = tmp_path / "root"
    with tarfile.open(os.environ["CXR_TRIAGE_DEBIAN"]) as archive:
        archive.extractall(root, filter="fully_trusted")
    checkout(tmp_path).rename(root / INSIDE.lstrip("/"))
    (root / "etc/pip.conf").write_text(PIP)
    systemctl = root / "usr/local/bin/systemctl"
    begins = PLAYED["systemctl"].replace("sudo -u $(ask User)", f"{AS} $(ask User) --regid $(ask User)")
    systemctl.write_text("#!/bin/bash\nKEEP=/root/keep\n" + begins.replace("{unit}", UNIT))
    systemctl.chmod(0o755)
    (root / "root/keep").mkdir()
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")
    install, *others = watched(commands())
    run(root, "apt-get update -q; apt-get install -qy sudo\n" + install)
    pacs = PACS.strip().partition("mkdir")[2]
    done = run(root, "\n".join([f"mkdir{pacs}", *others]), *NETWORK, before=ADDRESSES)
    check(done, root / "root/keep")


def run(root: Path, script: str, *apart: str, before: str = "") -> "subprocess.CompletedProcess[str]":
    """Run commands in that Debian, with mounts and, if asked for, a network of their own."""
    (root / "root/commands").write_text(script)
    room = ROOM.format(root=root, wheels=os.environ["CXR_TRIAGE_WHEELS"], inside=INSIDE)
    command = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        *apart,
        "sh",
        "-eu",
        "-c",
        before + room,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done
