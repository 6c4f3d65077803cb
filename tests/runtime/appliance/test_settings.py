import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from cxr_runtime import ScanOptions
from cxr_runtime.appliance.example import example
from cxr_runtime.appliance.orders import orders_of
from cxr_runtime.appliance.settings import Clinic, section_of
from cxr_runtime.appliance.settings_file import read_settings
from cxr_runtime.errors import UsageError
from cxr_runtime.presentation import Presentation

LEAST = 'out = "/srv/out"\n[watch]\nfolders = ["/srv/in"]\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "clinic.toml"
    path.write_text(text, encoding="utf-8")
    return path


def keys_of(table: type[BaseModel], before: str = "") -> set[str]:
    """Every setting by its whole name."""
    keys = set[str]()
    for name in table.model_fields:
        section = section_of(table, name)
        keys |= {f"{before}{name}"} if section is None else keys_of(section, f"{name}.")
    return keys


def test_the_least_settings_are_enough(tmp_path: Path) -> None:
    clinic = read_settings(written(tmp_path, LEAST))
    assert (clinic.out, clinic.dated) == (Path("/srv/out"), False)
    assert clinic.health_file == Path("/srv/out/health.json")
    assert clinic.watch is not None
    assert clinic.watch.folders == ("/srv/in",)


def test_settings_that_are_left_out_are_as_scan_options_say(tmp_path: Path) -> None:
    screening = orders_of(read_settings(written(tmp_path, LEAST))).screening
    assert replace(screening, out=None, presentation=Presentation()) == ScanOptions()


def test_the_example_is_read_and_shows_every_setting(tmp_path: Path) -> None:
    read_settings(written(tmp_path, example()))
    whole = re.sub(r"^# (?=\w+ = )", "", example(), flags=re.MULTILINE)
    read_settings(written(tmp_path, whole))
    shown = set[str]()
    for name, value in tomllib.loads(whole).items():
        shown |= {f"{name}.{key}" for key in value} if isinstance(value, dict) else {name}
    assert shown == keys_of(Clinic)


def test_a_comment_stands_behind_each_line_of_the_example() -> None:
    lines = [line for line in example().splitlines() if re.match(r"(# )?\w+ = |\[", line)]
    assert len(lines) > 20
    assert [line for line in lines if not re.search(r"\S  # \w.+", line)] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "out is missing"),
        ('out = "/srv/out"', "no way for films to come; expected a table"),
        ('out = "/srv/out"\n[send]\nto = "PACS@a:104"', "expected a table [watch] or [listen]"),
        (LEAST + '[send]\nto = "PACS@a:104"\n', "[send] sends the patient's identifiers"),
        (LEAST + "[send]\n", "send.to is missing"),
        (LEAST + '[send]\nto = "PACS@a:104"\nport = 1\n', "send.port is unknown; expected one of to, what, "),
        (LEAST + "[listen]\nport = 0\n", "listen.port is 0; expected 1 or more"),
        (LEAST + "[listen]\nport = 70000\n", "listen.port is 70000; expected 65535 or less"),
        (LEAST + '[listen]\nallow = "XRAY1"\n', "listen.allow is 'XRAY1'; expected a list as"),
        (LEAST + "[listen]\nassociations = 0\n", "listen.associations is 0; expected 1 or more"),
        (LEAST + "[kitchen]\nport = 80\n", "kitchen is unknown; expected one of out, dated, "),
        (LEAST + "follow_link = true\n", "watch.follow_link is unknown; expected one of folders, "),
        (LEAST.replace('["/srv/in"]', "[]"), "watch.folders is []; expected at least one entry"),
        (LEAST.replace('["/srv/in"]', '"/srv/in"'), """watch.folders is '/srv/in'; expected a list as ["""),
        ("dated = 1\n" + LEAST, "dated is 1; expected true or false"),
        ("share_with = 1\n" + LEAST, "share_with is 1; expected a text in quotes"),
        ('identity = "all"\n' + LEAST, "identity is 'all'; expected 'none', 'full' or 'pseudonym'"),
        (LEAST.replace('"/srv/out"', "3"), "out is 3; expected a text in quotes"),
        (LEAST + '[screening]\nbackend = "gpu"\n', "screening.backend is 'gpu'; expected 'auto', "),
        (LEAST + '[screening]\nworkers = "2"\n', "screening.workers is '2'; expected a whole number"),
        (LEAST + "[screening]\nworkers = 0\n", "screening.workers is 0; expected 1 or more"),
        (LEAST + "[screening]\nworkers = 300\n", "screening.workers is 300; expected 256 or less"),
        (LEAST + '[screening]\nmemory = "much"\n', "screening.memory is 'much'; expected a size as"),
        (LEAST + '[log]\nformat = "xml"\n', "log.format is 'xml'; expected 'text' or 'json'"),
        (LEAST + "[health]\nevery_seconds = 0\n", "health.every_seconds is 0; expected 0.1 or more"),
        (LEAST + '[health]\nevery_seconds = "often"\n', "health.every_seconds is 'often'; expected a number"),
        (LEAST + "[disk]\nstop_below = 5\n", "disk.stop_below is 5; expected a text in quotes"),
        (LEAST + '[disk]\nstop_below = "5 films"\n', "disk.stop_below is '5 films'; expected a size as"),
        (LEAST + '[retention]\npictures_for = "90"\n', "retention.pictures_for is '90'; expected an age as"),
        (LEAST + '[reports]\nprevalence = "5"\n', "reports.prevalence is '5'; expected the share of your"),
        (LEAST + "[reports]\nprevalence = true\n", "reports.prevalence is True; expected the share"),
        ("log = 3\n" + LEAST, "log is 3; expected a table"),
        (LEAST + '[alert]\nscore = 95\nmail_server = "m:25"\n', "alert: a mail to nobody is never sent"),
        (LEAST.replace("/srv/out", ""), "out is empty; say what it is, or take it out"),
        (LEAST.replace("/srv/in", " "), "watch.folders.0 is empty; say what it is, or take it out"),
        (LEAST + '[listen]\ntls_cert = ""\n', "listen.tls_cert is empty"),
        (LEAST + "[listen]\n[serve]\nport = 11112\n", "listen.port and serve.port are both 11112; expected"),
        (LEAST + '[listen]\nhost = "10.0.0.1"\nport = 80\n[serve]\nhost = "::"\nport = 80\n', "both 80"),
        ("out =", "is not TOML: "),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_in_one_line_that_names_it(text: str, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as refused:
        read_settings(path)
    line = str(refused.value)
    assert line.startswith(str(path))
    assert said in line
    assert line.endswith("`cxr-triage appliance --example` prints every setting")
    assert "\n" not in line


@pytest.mark.parametrize("typed", ["0.05", '"5%"', '"0.05"'])
def test_a_prevalence_is_a_share_or_per_cent(typed: str, tmp_path: Path) -> None:
    clinic = read_settings(written(tmp_path, f"{LEAST}[reports]\nprevalence = {typed}\n"))
    assert clinic.reports.prevalence == pytest.approx(0.05)


def test_the_example_says_how_many_pages_the_pdf_has_if_nothing_is_stated() -> None:
    assert f"\npdf_pages = {Presentation().pdf_pages}  # pages of films in the PDF, at most\n" in example()


def test_two_addresses_of_one_machine_may_have_one_port(tmp_path: Path) -> None:
    ports = '[listen]\nhost = "127.0.0.1"\nport = 8080\n[serve]\nhost = "127.0.0.2"\nport = 8080\n'
    assert read_settings(written(tmp_path, LEAST + ports)).serve is not None


def test_a_file_that_is_not_there_or_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b'out = "/srv/caf\xe9"\n')
    with pytest.raises(UsageError, match="not text in UTF-8"):
        read_settings(tmp_path / "latin.toml")
    (tmp_path / "long.toml").write_bytes(b"#" * (1 << 20) + b"#")
    with pytest.raises(UsageError, match="more than 1048576 bytes"):
        read_settings(tmp_path / "long.toml")


def test_a_file_from_an_editor_of_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "clinic.toml"
    path.write_bytes(b"\xef\xbb\xbf" + b"out = 'C:\\results'\r\n[watch]\r\nfolders = ['C:\\films']\r\n")
    clinic = read_settings(path)
    assert clinic.watch is not None
    assert clinic.watch.folders == ("C:\\films",)
