import shutil
from pathlib import Path

from cxr_train.heat_fit import HEAT_FILE, read_heat
from cxr_train.heat_refit import main


def test_a_run_s_heat_is_fitted_again_as_it_was(
    finished_run: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    (run / HEAT_FILE).unlink()
    main([str(run), "--data", str(data_set), "--cache", str(cache)])
    assert read_heat(run) == read_heat(finished_run)
