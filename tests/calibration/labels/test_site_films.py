from dataclasses import replace
from pathlib import Path

import pytest

from cxr_calibration.labels.site_films import ABNORMAL, NORMAL, NOT_KNOWN, patients_of, read_site
from cxr_runtime.errors import UsageError
from cxr_runtime.model.looks import LOOKS
from scored_scans import rejected, scored, write_scan

LOOK = tuple(0.5 for _ in LOOKS)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    names = ["night/a.png", "night/b.png", "night/c.png", "night/d.png", "other/e.png"]
    scores = [replace(scored(name, float(place)), looks=LOOK) for place, name in enumerate(names)]
    write_scan(tmp_path / "scan", [*scores, rejected("night/f.png", "lateral"), scored("night/g.png", 1.0)])
    rows = ["a.png,1,p1,AP", "b.png,0,p2,PA", "c.png,,,", "d.png,1,p3,", "f.png,0,p4,", "g.png,0,p5,"]
    table = "\n".join(["file,label,patient,view", *(f"night/{row}" for row in rows)])
    (tmp_path / "night.csv").write_text(table)
    return tmp_path


def test_scores_of_a_scan_meet_the_table_by_their_names(site: Path) -> None:
    films = read_site(site / "scan", site / "night.csv")
    assert films.margins.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert films.kinds.tolist() == [ABNORMAL, NORMAL, NOT_KNOWN, ABNORMAL]
    assert films.views.tolist() == ["AP", "PA", "", ""]
    assert films.patients.tolist() == ["p1", "p2", "night/c.png", "p3"]


def test_patients_can_be_left_out(site: Path) -> None:
    known = patients_of([site / "night.csv"])
    assert known >= {"p1", "p2", "p3"}
    assert len(read_site(site / "scan", site / "night.csv", without=known)) == 1


def test_a_scan_of_other_films_is_refused(site: Path) -> None:
    (site / "elsewhere.csv").write_text("file,label\nelsewhere/a.png,1\n")
    with pytest.raises(UsageError, match="scan from the folder of the table"):
        read_site(site / "scan", site / "elsewhere.csv")
