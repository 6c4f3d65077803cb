import os
from pathlib import Path

import pytest

from cxr_runtime.atomic import file_stamp, is_unchanged

WRITTEN = 1_767_225_600_123_456_789  # ns


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.dcm"
    path.write_bytes(b"film")
    os.utime(path, ns=(WRITTEN, WRITTEN))
    return path


@pytest.mark.parametrize("unit", [1, 100, 1_000, 1_000_000_000])
def test_a_copy_with_its_times_as_far_as_it_keeps_them_is_no_change(film: Path, unit: int) -> None:
    stamp, kept = file_stamp(film), WRITTEN // unit * unit
    copy = film.with_name("copy.dcm")
    copy.write_bytes(b"film")
    os.utime(copy, ns=(kept, kept))
    assert is_unchanged(copy, stamp)


def test_what_was_written_later_or_is_longer_or_gone_has_changed(film: Path) -> None:
    stamp = file_stamp(film)
    for later in (WRITTEN + 1, WRITTEN // 10**9 * 10**9 + 10**9):
        os.utime(film, ns=(later, later))
        assert not is_unchanged(film, stamp)
    film.write_bytes(b"film and more")
    os.utime(film, ns=(WRITTEN, WRITTEN))
    assert not is_unchanged(film, stamp)
    film.unlink()
    assert not is_unchanged(film, stamp)
    assert not is_unchanged(film, "")
