"""A profile says what each stage was busy with, and a scan without one measures nothing."""

import threading
from pathlib import Path

from cxr_runtime import ScanOptions, scan
from cxr_runtime.files import ReportFormat
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.scanning.profile import NoProfile, Profile, Stage


def test_every_stage_of_a_scan_is_in_the_table(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(encode_png(draw_phantom(number, hw=(128, 128))))
    profile, formats = Profile(), frozenset({ReportFormat.CSV, ReportFormat.PNG})
    options = ScanOptions(out=tmp_path / "out", workers=1, batch_size=2, formats=formats)
    scan([tmp_path], options, profile=profile)
    assert all(profile.seconds[stage] > 0 for stage in Stage)
    assert profile.seconds[Stage.SCORE] > profile.seconds[Stage.COMPUTE]
    assert (profile.at_once[Stage.READ], profile.films) == (1, 3)
    assert 1 <= profile.at_once[Stage.DRAW] <= 2  # as many as processors suggest, and no more than a batch
    assert 0 < profile.first < profile.wall
    assert profile.processor > 0
    table = str(profile)
    assert all(f"| {stage.value} |" in table for stage in Stage)
    assert "processors" in table.splitlines()[-1]


def test_time_of_several_threads_adds_up() -> None:
    profile, both = Profile(), threading.Barrier(2)
    add = profile.timed(Stage.DRAW, both.wait)
    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    before = profile.seconds[Stage.DRAW]
    profile.add(Stage.DRAW, 5.0)
    assert profile.seconds[Stage.DRAW] == before + 5.0


def test_work_keeps_its_result_and_its_error() -> None:
    profile = Profile()
    assert profile.timed(Stage.STORE, divmod)(7, 2) == (3, 1)
    try:
        profile.timed(Stage.STORE, divmod)(1, 0)
    except ZeroDivisionError:
        assert profile.seconds[Stage.STORE] > 0


def test_without_a_profile_all_work_stays_as_it_is() -> None:
    nothing = NoProfile()
    assert nothing.timed(Stage.DRAW, divmod) is divmod
    assert nothing.reading(zip) is zip
