"""Files by which systems start the program: systemd takes and rates its own, the others are well-formed."""

import os
import plistlib
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from typed_commands import exit_status

TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
CLINIC = """
out = "{folder}/results"
identity = "none"
[watch]
folders = ["{folder}/films"]
[log]
file = "{folder}/log/cxr-triage.log"
"""
NETWORK = '[listen]\nhost = "0.0.0.0"\n'
UNNAMED = ("--identity", "none")
SCAN = ("scan", "/srv/films", "--out", "/srv/results", "--dated")


def written(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    status, told = exit_status("service", "write", *words), capsys.readouterr()
    assert status == 0, told.err
    return told.out


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    file = tmp_path / "clinic.toml"
    file.write_text(CLINIC.format(folder=tmp_path))
    return file


def analyzed(unit: Path, *how: str) -> "subprocess.CompletedProcess[str]":
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    command = ["systemd-analyze", *how, str(unit)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "most"),
    [
        (("appliance", "{clinic}"), 1.6),
        (("watch", "/srv/films", "--out", "/srv/results"), 1.6),
        (
            (
                "watch",
                "/srv/films",
                "--out",
                "/srv/results",
                "--to",
                "PACS@10.0.0.5:104",
                "--identity",
                "none",
            ),
            2.6,
        ),
        (("listen", "--out", "/srv/results", "--host", "0.0.0.0", "--allow", "XRAY@10.0.0.7"), 2.6),
        (("serve", "/srv/results"), 2.6),
        (SCAN, 1.6),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else "",
)
def test_systemd_takes_the_units_and_rates_them_ok(
    words: tuple[str, ...], most: float, clinic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [word.replace("{clinic}", str(clinic)) for word in words]
    program, into = ("--program", "/bin/true"), ("--into", str(tmp_path / "units"))
    (tmp_path / "units").mkdir()
    written(capsys, *program, *into, "--user", "root", "systemd", *filled)
    unit = tmp_path / "units" / "cxr-triage.service"
    verified = analyzed(unit, "verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    rated = analyzed(unit, "security", "--offline=true").stdout
    found = re.search(r"Overall exposure level .*: ([\d.]+) (?:OK|SAFE)", rated)
    assert found, rated[-500:]
    assert float(found[1]) <= most


def test_a_night_has_a_timer_and_a_status_3_that_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(capsys, "--into", str(tmp_path), "--at", "02:30", "systemd", *SCAN)
    service = (tmp_path / "cxr-triage.service").read_text()
    timer = (tmp_path / "cxr-triage.timer").read_text()
    assert "Type=oneshot\nSuccessExitStatus=3\n" in service
    assert "OnCalendar=*-*-* 02:30:00\nPersistent=true\n" in timer
    assert analyzed(tmp_path / "cxr-triage.timer", "verify").returncode == 0


def test_what_needs_no_network_gets_none(clinic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unit = written(capsys, "systemd", "appliance", str(clinic))
    assert "PrivateNetwork=yes" in unit
    folder = clinic.parent
    assert f"ReadWritePaths={folder}/results {folder}/log\n" in unit


@pytest.mark.parametrize(
    "table", [NETWORK, "[serve]\n", '[send]\nto = "PACS@10.0.0.5:104"\n', "[alert]\nscore = 95\n"]
)
def test_an_appliance_that_listens_or_calls_keeps_the_network(
    table: str, clinic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic.write_text(clinic.read_text() + table)
    unit = written(capsys, "systemd", "appliance", str(clinic))
    assert "PrivateNetwork" not in unit
    assert "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n" in unit


def test_the_page_states_how_systemd_rates_the_unit(
    clinic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic.write_text(clinic.read_text() + NETWORK)
    written(capsys, "--into", str(tmp_path), "systemd", "appliance", str(clinic))
    rated = analyzed(tmp_path / "cxr-triage.service", "security", "--offline=true").stdout
    found = re.search(r"Overall exposure level .*: ([\d.]+ \w+)", rated)
    page = (Path(__file__).parents[3] / "docs" / "clinic-it.md").read_text(encoding="utf-8")
    stated = re.search(r"`systemd-analyze security --offline=true` rates this unit ([\d.]+), (\w+)", page)
    assert found is not None
    assert stated is not None
    assert found[1] == " ".join(stated.groups())


def test_a_gpu_and_folders_of_users_are_let_in_where_they_are_needed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unit = written(capsys, "--gpu", "systemd", "watch", "/home/ann/films", "--out", "/srv/results")
    assert "PrivateDevices" not in unit
    assert "ProtectHome=read-only\n" in unit


@pytest.mark.parametrize(
    "words",
    [
        ("listen", "--out", "/srv/results", "--tls-cert", "/home/it/own.pem"),
        ("watch", "/srv/films", "--out", "/srv/results", "--model", "/home/it/model"),
        ("scan", "/srv/films", "--out", "/srv/results", "--calibration", "/home/it/calibration"),
    ],
)
def test_whatever_is_named_can_be_read(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert "ProtectHome=read-only\n" in written(capsys, "systemd", *words)


def test_what_an_appliance_names_can_be_read(clinic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = '[screening]\nmodel = "/home/it/model"\n', f'{NETWORK}tls_cert = "/home/it/own.pem"\n'
    before = clinic.read_text()
    for table in tables:
        clinic.write_text(before + table)
        assert "ProtectHome=read-only\n" in written(capsys, "systemd", "appliance", str(clinic))


def test_dicom_s_own_port_may_be_taken(clinic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    allowed = "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"
    listen = ("listen", "--out", "/srv/results", "--port")
    assert allowed in written(capsys, "systemd", *listen, "104")
    assert allowed not in written(capsys, "systemd", *listen, "11112")
    clinic.write_text(f"{clinic.read_text()}{NETWORK}port = 104\n")
    assert allowed in written(capsys, "systemd", "appliance", str(clinic))


@pytest.mark.parametrize("more", [("/srv/films", "--cluster", "10.0.0.9:6379"), ("s3://films/night",)])
def test_more_machines_and_object_stores_are_reached(
    more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "PrivateNetwork" not in written(capsys, "systemd", "scan", *more, "--out", "/srv/results")


def test_words_with_spaces_and_signs_come_through_systemd(capsys: pytest.CaptureFixture[str]) -> None:
    unit = written(capsys, "systemd", "watch", "/srv/100% new films", "--out", "/srv/$results")
    assert '"/srv/100%% new films" --out "/srv/$$results"' in unit


@pytest.mark.skipif(os.name != "posix", reason="the file is read here")
def test_the_task_of_windows_is_what_its_schema_asks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films = ("scan", r"C:\films", "--out", r"C:\cxr triage\results")
    written(capsys, "--into", str(tmp_path), "windows-task", *films)
    root = Xml.fromstring((tmp_path / "cxr-triage.xml").read_bytes())
    order = ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
    assert [child.tag for child in root] == [TASK + name for name in order]
    said = {element.tag.removeprefix(TASK): element.text for element in root.iter()}
    assert said["Command"] == r"C:\Program Files\cxr-triage\Scripts\cxr-triage.exe"
    assert said["Arguments"] == r'scan C:\films --out "C:\cxr triage\results"'
    assert (said["UserId"], said["StartBoundary"]) == ("S-1-5-19", "2026-01-01T19:00:00")
    started = Xml.fromstring(
        written(capsys, "windows-task", "watch", r"C:\films", "--out", r"C:\results").partition("\n")[2]
    )
    assert started.find(f".//{TASK}BootTrigger") is not None
    assert started.findtext(f".//{TASK}RestartOnFailure/{TASK}Interval") == "PT1M"
    assert 1 <= int(started.findtext(f".//{TASK}RestartOnFailure/{TASK}Count") or 0) <= 255  # MS-TSCH 2.5.4.2


def test_winsw_gets_its_file_and_keeps_no_scan(capsys: pytest.CaptureFixture[str]) -> None:
    text = written(capsys, "winsw", "watch", r"C:\films", "--out", r"C:\results")
    root = Xml.fromstring(text.partition("\n")[2])
    assert root.findtext("arguments") == r"watch C:\films --out C:\results"
    assert root.findtext("serviceaccount/username") == r"NT AUTHORITY\LocalService"
    assert exit_status("service", "write", "winsw", "scan", r"C:\films", "--out", r"C:\results") == 2


def test_launchd_starts_it_with_the_machine_or_every_night(capsys: pytest.CaptureFixture[str]) -> None:
    always = plistlib.loads(written(capsys, "launchd", "watch", "/films", "--out", "/results").encode())
    assert always["ProgramArguments"][1:] == ["watch", "/films", "--out", "/results"]
    assert (always["KeepAlive"], always["RunAtLoad"]) == ({"SuccessfulExit": False}, True)
    nightly = plistlib.loads(written(capsys, "--at", "02:05", "launchd", *SCAN).encode())
    assert nightly["StartCalendarInterval"] == {"Hour": 2, "Minute": 5}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("systemd", "watch", "films", "--out", "/srv/results"),
            "films is not a whole path of Linux or macOS, as /srv/films is;",
        ),
        (
            ("windows-task", "watch", r"C:\films", "--out", "/srv/results"),
            r"/srv/results is not a whole path of Windows, as C:\films is;",
        ),
        (("--into", "nowhere", "systemd", *SCAN), "--into nowhere is not a folder that is there; make it"),
        (("systemd", "scan", "/srv/films"), "the folder for results is missing; add `--out DIR` to `scan`"),
        (
            ("systemd", "doctor"),
            "'doctor' is not a service; expected one of appliance, watch, listen, serve",
        ),
        (("--at", "25:00", "systemd", *SCAN), "--at '25:00' is not a time of day; expected one as 19:00"),
        (("--name", "a b", "systemd", *SCAN), "--name 'a b' is not a name of a service"),
        (("systemd", "scan", "/srv/films", "--heet", "cam"), "there is no option --heet"),
        (("cron", *SCAN), "KIND is 'cron'; expected one of "),
    ],
)
def test_what_cannot_be_a_service_is_one_line(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status("service", "write", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
