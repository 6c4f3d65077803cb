from pathlib import Path

import pytest

from cxr_cli.lab.house import print_house
from cxr_runtime.errors import UsageError


def test_files_lines_and_functions_of_every_package_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for package, text in (("runtime", "def one() -> int:\n    return 1\n"), ("cli", "X = 1\n")):
        folder = tmp_path / package / f"cxr_{package}"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "file.py").write_text(text * 3)
    assert print_house(tmp_path) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[2:] == [
        "| cxr_runtime | 2 | 6 | 3 | 6 | 1 | 0 | 3 | 2 | 2 |",
        "| cxr_cli | 2 | 3 | 2 | 3 | 1 | 0 | 1 | 0 | 0 |",
        "| together | 4 | 9 | 2 | 6 | 2 | 0 | 3 | 2 | 2 |",
    ]


def test_a_folder_without_the_packages_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds none of the packages"):
        print_house(tmp_path)
