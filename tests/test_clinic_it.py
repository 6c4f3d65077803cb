"""docs/clinic-it.md, word by word: its commands for Debian run in mounts and a network of their own.

What needs the internet or systemd is played by small programs: apt-get installs nothing, pip takes no
dependencies, and systemctl starts and ends what the unit says.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "clinic-it.md"
UNIT = "/etc/systemd/system/cxr-triage.service"
PATIENCE = 150  # seconds
ROOM = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
LAYERED = ("/etc", "/opt", "/srv", "/var", "/run", "/root")  # what the commands change
NEEDED = ("unshare", "adduser", "deluser", "setpriv", "echoscu", "storescu", "storescp", "ip")

# The page's archive, in a network that ends at this machine.
PACS = """
ip link set lo up; ip address add 192.168.1.5/32 dev lo; mkdir $KEEP/pacs
/usr/bin/storescp -aet PACS -od $KEEP/pacs 104 >/dev/null 2>&1 &
"""
PLAYED = {
    "apt-get": "exit 0",
    # As root, nothing has to be granted; `-u NAME` takes on that user.
    "sudo": """
[ "$1" = -u ] || exec "$@"
user=$2; shift 2
exec setpriv --reuid $user --regid $user --init-groups env HOME=/var/lib/cxr-triage "$@"
""",
    # The environment that is made finds the libraries of the one that runs the test.
    "python3": """
{python} "$@" && for place in "$3"/lib/python*/site-packages; do echo {libraries} > $place/test.pth; done
""",
    "systemctl": """
ask() { sed -n "s/^$1=//p" {unit}; }
begin() {
  sudo -u $(ask User) $(ask ExecStart) </dev/null >/dev/null 2>>$KEEP/journal &
  echo $! > /run/service
  until grep -q '"process": '$!, /var/lib/cxr-triage/health.json; do sleep 0.1; done 2>/dev/null
}
end() {
  kill $(cat /run/service); while kill -0 $(cat /run/service) 2>/dev/null; do sleep 0.1; done
}
case $1 in enable) begin;; restart) end; begin;; disable) end;; esac
""",
}


def commands() -> list[str]:
    """The blocks of the part about Debian, in their order."""
    debian = PAGE.read_text(encoding="utf-8").partition("\n## Debian\n")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", debian, flags=re.MULTILINE | re.DOTALL)


def why_not() -> str:
    """Why the page cannot be followed here; "" if it can."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    done = subprocess.run([*ROOM, "true"], capture_output=True, check=False)
    return "" if done.returncode == 0 else "this user may make no mounts and networks of his own"


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can")
def test_the_commands_for_debian_do_what_the_page_says(tmp_path: Path) -> None:
    script = "\n".join([room(tmp_path), *watched(commands())])
    done = subprocess.run(
        [*ROOM, "bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=checkout(tmp_path), env=variables(tmp_path), capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    check(done, tmp_path)


def check(done: "subprocess.CompletedProcess[str]", keep: Path) -> None:
    """See that the commands of the page did what it says; `keep` holds what was copied between them."""
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    said = done.stdout
    assert "/etc/cxr-triage/clinic.toml is in order" in said
    assert re.search(r"^scoring: runs$", said, re.MULTILINE)
    health = json.loads((keep / "health.json").read_text())
    assert (health["films"], health["state"], health["queue"]["is_away"]) == (1, "well", False)
    assert "nodule" not in (keep / "journal").read_text()
    rows = (keep / "results.csv").read_text().splitlines()
    assert len(rows) == 2
    assert '"scored"' in rows[1]
    restored = (keep / "restored.csv").read_text().splitlines()
    assert len(restored) == 2


def watched(blocks: list[str]) -> list[str]:
    """The blocks, with what the test wants to know of them between."""
    lines = []
    for block in blocks:
        if "--health" in block:  # the film of the block before is scored
            lines.append("until [ $(ls $KEEP/pacs | wc -l) = 3 ]; do sleep 0.1; done")
            lines.append("until grep -q '\"films\": 1,' /var/lib/cxr-triage/health.json; do sleep 0.1; done")
        lines.append(block)
        if "--health" in block:
            lines.append("cp /var/lib/cxr-triage/health.json $KEEP")
        if "restore" in block:
            lines.append("cp /srv/restored/results/results.csv $KEEP/restored.csv")
        if "disable" in block:
            lines.append("cp /srv/results/results.csv $KEEP/results.csv; ! id cxr-triage")
    return lines


def room(folder: Path) -> str:
    """Mounts over what the commands change, and a network that ends at this machine."""
    lines = ["mount --make-rprivate /", f"mount -t tmpfs -o size=20g room {folder}/layers"]
    for place in LAYERED:
        upper, work = (f"{folder}/layers{place}/{name}" for name in ("upper", "work"))
        lines.append(f"mkdir -p {upper} {work}")
        lines.append(f"mount -t overlay room -o lowerdir={place},upperdir={upper},workdir={work} {place}")
    return "\n".join([*lines, "umask 022", "chmod 755 /root", PACS])


def checkout(folder: Path) -> Path:
    """What of the source is installed, where pip may build."""
    copy = folder / "source"
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns(".git", "__pycache__", "tests", ".*_cache"), symlinks=True
    )
    (folder / "layers").mkdir()
    return copy


def variables(folder: Path) -> dict[str, str]:
    """The environment of the commands, with the programs that are played."""
    played = folder / "played"
    played.mkdir()
    facts = {"{python}": sys.executable, "{libraries}": sysconfig.get_path("purelib"), "{unit}": UNIT}
    for name, text in PLAYED.items():
        program = re.sub("|".join(map(re.escape, facts)), lambda found: facts[found[0]], text)
        (played / name).write_text(f"#!/bin/bash\n{program}\n")
        (played / name).chmod(0o755)
    ours = ("PYTHON", "CXR_", "XDG_", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    pip = {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}  # sic: 0 means none
    return {**kept, **pip, "PATH": f"{played}:/usr/sbin:/usr/bin:/sbin:/bin", "KEEP": str(folder)}
