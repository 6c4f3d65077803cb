import sys
from pathlib import Path

import pytest
import torch

from cxr_export.importing.check import declare_operators

FINE = "import torch\n"
NEEDY = """import torch
if not hasattr(torch.ops.torchvision, "nms"):
    raise RuntimeError("operator torchvision::nms does not exist")
"""


@pytest.mark.parametrize(("code", "declared"), [(FINE, False), (NEEDY, True)])
def test_operators_are_declared_only_where_torchvision_does_not_load_its_own(
    code: str, declared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torchvision.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    declare_operators()
    assert hasattr(torch.ops.torchvision, "nms") == declared
    import torchvision  # noqa: F401 - loads now

    monkeypatch.delitem(sys.modules, "torchvision")
