"""`cxr-triage doctor`: the thin face of `cxr_runtime.doctor`."""

import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cxr_runtime.doctor.finding import Finding

_NAME_WIDTH, _STATE_WIDTH, _LINE_WIDTH = 30, 9, 120


def doctor(
    model: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="The model that backends are tested with.")
    ] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Everything in detail, for machines.")] = False,
) -> int:
    """Say what works on this machine: packages, GPU, codecs, fonts, disk, models, every backend's self-test.

    Exit status: 0 when a scan on the processor works, whatever else is missing; 1 when it does not.
    """
    from cxr_runtime.doctor.checks import check_everything
    from cxr_runtime.doctor.finding import can_scan

    findings = check_everything(model)
    works = can_scan(findings)
    typer.echo(_json(findings, works) if as_json else _table(findings, works))
    return 0 if works else 1


def _table(findings: Sequence["Finding"], works: bool) -> str:
    rows = [line for finding in findings for line in _row(finding)]
    summary = "a scan on the processor works" if works else "a scan on the processor does NOT work: see above"
    return "\n".join([*rows, summary])


def _row(finding: "Finding") -> list[str]:
    head = f"{finding.name:<{_NAME_WIDTH}}{finding.state:<{_STATE_WIDTH}}"
    return textwrap.wrap(
        finding.told,
        _LINE_WIDTH,
        initial_indent=head,
        subsequent_indent=" " * (_NAME_WIDTH + _STATE_WIDTH),
        break_on_hyphens=False,
    )


def _json(findings: Sequence["Finding"], works: bool) -> str:
    rows = [
        {"name": one.name, "state": one.state, "told": one.told, "details": dict(one.details)}
        for one in findings
    ]
    return json.dumps({"cpu_scan_works": works, "findings": rows}, indent=1)
