"""What was typed wrongly is said in one line: what was found, what was expected, what to do next."""

import pytest

from typed_commands import exit_status


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("scan . --workers 0", "--workers is '0'; expected 1 or more; see `cxr-triage scan --help`"),
        ("scan . --workers x", "--workers is 'x'; expected a whole number; see `cxr-triage scan --help`"),
        ("scan . --workers 1.5", "--workers is '1.5'; expected a whole number; see `cxr-triage scan --help`"),
        (
            "evaluate m --data d --out o --threshold 7",
            "--threshold is '7'; expected 1 or less; see `cxr-triage evaluate --help`",
        ),
        (
            "evaluate m --data d --out o --threshold high",
            "--threshold is 'high'; expected a number; see `cxr-triage evaluate --help`",
        ),
        ("lab gamma a b c", "GAMMA is 'c'; expected a number; see `cxr-triage lab gamma --help`"),
        (
            "train --data d --out o --device tpu",
            "--device is 'tpu'; expected one of auto, cpu, cuda; see `cxr-triage train --help`",
        ),
        (
            "scan",
            "INPUT is missing; expected `cxr-triage scan [OPTIONS] INPUT...`; see `cxr-triage scan --help`",
        ),
        (
            "lab gamma a b",
            "GAMMA is missing; expected `cxr-triage lab gamma [OPTIONS] FILMS DIR GAMMA`; "
            "see `cxr-triage lab gamma --help`",
        ),
        ("train --out o", "--data is missing; add `--data PATH`; see `cxr-triage train --help`"),
        ("scan . --workers", "--workers has no value; write one after it; see `cxr-triage scan --help`"),
        (
            "scan . --force=3",
            "--force is a switch and takes no value; leave the value out; see `cxr-triage scan --help`",
        ),
        (
            "scan . --bachend x",
            "there is no option --bachend; did you mean --backend, --batch-size; "
            "see `cxr-triage scan --help`",
        ),
        ("scan . --qqq", "there is no option --qqq; see `cxr-triage scan --help`"),
        (
            "models a b",
            "the command does not take 'a b'; expected `cxr-triage models [OPTIONS]`; "
            "see `cxr-triage models --help`",
        ),
        ("scna", "there is no command scna; did you mean scan; see `cxr-triage --help`"),
        ("qqq", "there is no command qqq; see `cxr-triage --help`"),
    ],
)
def test_wrong_usage_is_one_line_in_plain_words(
    typed: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(*typed.split()) == 2
    assert capsys.readouterr().err == f"cxr-triage: {line}\n"


def test_a_group_without_a_command_names_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("lab") == 2
    assert "no command was given; expected one of gate, heat-refit," in capsys.readouterr().err
