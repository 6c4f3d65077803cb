"""Stand-ins must not offer what TensorRT does not; where a real one is installed, it is asked."""

import inspect
import re

import pytest

from cxr_runtime.backends.nvidia import builder
from fake_tensorrt import STANDS_FOR, FakeTensorRt
from tensorrt_interface import MEMBERS, PARAMETERS, PROPERTY, is_offered, members

RECORDED = ("output_type",)  # what a test looks at afterwards


@pytest.mark.parametrize("stand_in", STANDS_FOR)
def test_a_stand_in_has_no_method_or_parameter_that_tensorrt_has_not(stand_in: type) -> None:
    for name, method in inspect.getmembers(stand_in, inspect.isfunction):
        if not name.startswith("_"):
            parameters = len(inspect.signature(method).parameters) - 1  # self
            stated = PARAMETERS[f"{STANDS_FOR[stand_in]}.{name}"]
            assert name in ("set_shape", *RECORDED) or parameters == stated, name


@pytest.mark.parametrize("version", ["8.5.3.1", "8.6.0", "10.16.1", "11.4.0"])
def test_a_stand_in_has_the_members_of_its_version(version: str) -> None:
    fake = FakeTensorRt(version)
    for kind in MEMBERS:
        assert list(getattr(fake, kind, ())) == list(range(len(members(kind, version))))
    assert hasattr(fake, "IProgressMonitor") == is_offered("IBuilderConfig.progress_monitor", version)


def test_an_installed_tensorrt_has_the_interface_that_is_written_down() -> None:
    trt = pytest.importorskip("tensorrt", exc_type=ImportError)
    version = trt.__version__
    for name, stated in PARAMETERS.items():
        kind, method = name.split(".")
        real = getattr(getattr(trt, kind, None), method, None)
        assert (real is not None) == is_offered(name, version), name
        assert real is None or isinstance(real, property) == (stated == PROPERTY), name
        if real is not None and stated != PROPERTY:
            assert any(least <= stated <= most for least, most in _counts(method, real.__doc__)), name
    for kind, names in MEMBERS.items():
        found = getattr(getattr(trt, kind, None), "__members__", {})
        assert {name for name in names if name in found} == set(members(kind, version)), kind


def _counts(method: str, signatures: str) -> list[tuple[int, int]]:
    """Fewest and most arguments that each overload takes; all that may be where none is stated."""
    overloads = re.findall(rf"{method}\(self: [\w.]+(.*?)\)(?: ->|$)", signatures, re.MULTILINE)
    totals = [(len(re.findall(r", \w+: ", one)), one.count(" = ")) for one in overloads]
    return [(total - optional, total) for total, optional in totals] or [(0, 99)]


def test_what_an_installed_tensorrt_is_handed_is_of_its_own_kinds() -> None:
    trt = pytest.importorskip("tensorrt", exc_type=ImportError)
    log = builder.new_log(trt)
    log.log(trt.ILogger.ERROR, "a line")
    assert list(log.lines) == ["ERROR: a line"]
    assert log.reason() == "a line"
    assert isinstance(builder._network_flags(trt), int)
    assert builder._is_strongly_typed(trt) == is_offered(
        "NetworkDefinitionCreationFlag.STRONGLY_TYPED", trt.__version__
    )
