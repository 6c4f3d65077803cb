"""A film's name is told from what it lies in, whatever signs it bears."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_runtime.names import folder_and_name, printable, safe_name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.png", "a.png"),
        ("night/a.png", "a.png"),
        (r"C:\night\a.png", "a.png"),
        (r"C:\Users\xavier\unit 5\a.png", "a.png"),
        ("night.zip!sub/a.png", "a.png"),
        ("night/Night.ZIP!a.png", "a.png"),
        ("night/look!.png", "look!.png"),
        ("night/\\u202egnp.exe", "\\u202egnp.exe"),
        ("night/a\\x0ab.png", "a\\x0ab.png"),
        ("night/\\U000e0041.png", "\\U000e0041.png"),
        ("night/", "night/"),
        ("", ""),
    ],
)
def test_the_name_is_what_follows_the_last_folder_or_zip_file(file: str, name: str) -> None:
    folder, found = folder_and_name(file)
    assert found == name
    assert folder + found == file


@pytest.mark.parametrize("mark", ["\u200b", "\u2060", "\ufeff"])
def test_marks_without_a_width_are_shown_as_codes(mark: str) -> None:
    assert printable(f"a{mark}b.png") == f"a\\u{ord(mark):04x}b.png"


@pytest.mark.parametrize("name", ["می\u200cخواهم.png", "क्\u200dष.png"])
def test_joiners_that_shape_a_word_stay(name: str) -> None:
    assert printable(name) == name


SHA = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("file", "stem"),
    [
        ("films/chest.png", "chest"),
        ("night.zip!sub/film.dcm", "film"),
        ("1.2.840.113619.dcm", "1.2.840.113619"),
        ("noending", "noending"),
        ("胸部X線.png", "胸部X線"),
        ("naïve café.png", "naïve_café"),
        ("नमस्ते.png", "नमस्ते"),
        ('a<b>:"|?*.png', "a_b"),
        ("C:\\films\\x.png", "x"),
        (".hidden", "hidden"),
        ("look!.png", "look"),
        ("night/\\u202egnp.exe.png", "u202egnp.exe"),
        ("...", "film"),
        ("  .png", "film"),
        ("CON.png", "CON"),
        ("con.1.png", "_con.1"),
        ("LPT1.left.dcm", "_LPT1.left"),
        ("console.1.png", "console.1"),
        ("x" * 300 + ".png", "x" * 160),
        ("bad\udcff.png", "bad"),
    ],
)
def test_a_name_keeps_what_is_safe(file: str, stem: str) -> None:
    assert safe_name(file, SHA) == f"{stem}-0123456789ab"


@given(file=st.text(max_size=400))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_any_name_becomes_a_safe_one(file: str) -> None:
    name = safe_name(file, SHA)
    assert len(f"{name}.png".encode()) < 200
    assert not re.search(r'[\x00-\x1f<>:"/\\|?*!\s]', name)
    assert not name.startswith(".")


def test_equal_stems_with_other_bytes_do_not_meet() -> None:
    assert safe_name("a/x.png", SHA) != safe_name("b/x.png", SHA[::-1])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain 胸.png", "plain 胸.png"),
        ("bad\udcff\udc80.png", "bad\\xff\\x80.png"),
        ("two\nlines\x1b[31m", "two\\x0alines\\x1b[31m"),
        ("lone\ud800", "lone\\ud800"),
    ],
)
def test_what_cannot_be_printed_is_shown_by_its_number(name: str, shown: str) -> None:
    assert printable(name) == shown
    printable(name).encode("utf-8")
