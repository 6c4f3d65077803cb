import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.program import run_program


def test_an_error_of_a_program_is_one_line_and_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise UsageError("no film\nis there")

    with pytest.raises(SystemExit) as end:
        run_program(fail)
    assert end.value.code == 2
    assert capsys.readouterr().err == "no film is there\n"


def test_a_program_that_ends_well_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run_program(lambda: None)
    assert capsys.readouterr().err == ""
