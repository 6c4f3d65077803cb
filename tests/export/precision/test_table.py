"""The table of precisions."""

from pathlib import Path

import pytest
import torch

from cxr_export.precision import measures, table
from cxr_export.precision.measures import Subject
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_train.networks import Architecture, build_network

pytest.importorskip("openvino", reason="openvino is not installed (extra `openvino`)")
SIDE = 64


def _small(_: str) -> Subject:
    """A small network of fresh weights."""
    torch.manual_seed(1)
    network = build_network(Architecture("edge", input_hw=(SIDE, SIDE), filters=(4, 6, 8, 8, 10))).eval()
    return Subject("small", Preprocessing(input_hw=(SIDE, SIDE), working_hw=(SIDE, SIDE)), (network,), ())


@pytest.mark.parametrize("has_bfloat16", [False, True])
def test_every_precision_gets_a_row_that_says_whether_it_is_accepted_and_its_times(
    monkeypatch: pytest.MonkeyPatch, has_bfloat16: bool
) -> None:
    monkeypatch.setattr(table, "open_subject", _small)
    monkeypatch.setattr(measures, "has_bfloat16", lambda: has_bfloat16)
    printed = "\n".join(table.precision_lines(["small"], seconds=0))
    head, _, *rows, _, whole, int8 = printed.splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (head, *rows)]
    assert {len(row) for row in cells} == {len(table.HEAD)}
    precisions = ["fp32", "fp16", "int8", "bf16"][: 4 if has_bfloat16 else 3]
    assert [row[2] for row in cells[1:]] == precisions
    assert [row[8] for row in cells[1:3]] == ["", "yes"]
    assert all(float(row[-1]) >= 0 for row in cells[1:])
    assert whole == "small: 12 films of phantoms judge."
    assert int8.startswith("small: INT8's scales cover ")


def test_what_is_neither_a_run_nor_a_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CxrTriageError):
        list(table.precision_lines(["a network that is not there"]))
    with pytest.raises(CxrTriageError):
        list(table.precision_lines([str(tmp_path)]))
