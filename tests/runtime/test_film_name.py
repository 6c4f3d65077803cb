"""A film's name is told from what it lies in, whatever signs it bears."""

import pytest

from cxr_runtime.film_name import folder_and_name


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
