"""Every check in turn; one that fails of itself is a finding too."""

from collections.abc import Callable, Sequence
from importlib import import_module

from cxr_runtime.doctor.finding import Finding, State
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.model.folder import DEFAULT_MODEL, Model, open_model

BATCH_SIZE = 8  # as a scan's own, so that its verdicts are found again
CHECKS = (  # module of this package, function; imported on use, since a broken package must not hide the rest
    ("installs", "check_python"),
    ("installs", "check_packages"),
    ("installs", "check_conflicts"),
    ("hardware", "check_processors"),
    ("hardware", "check_gpu"),
    ("hardware", "check_tensorrt"),
    ("decoding", "check_codecs"),
    ("decoding", "check_fonts"),
    ("hardware", "check_disk"),
    ("inference", "check_models"),
    ("inference", "check_engines"),
)


def examine(model_name: str = DEFAULT_MODEL) -> list[Finding]:
    """Look at everything a scan rests on.

    Args:
        model_name: a model that came with the program, or a folder, for the backends' self-tests.
    """
    findings = [found for module, function in CHECKS for found in _look(module, function)]
    try:
        model = open_model(model_name, allow_uncalibrated=True)
    except CxrTriageError as error:
        return [*findings, Finding("backends", State.BROKEN, f"cannot be tested: {error}")]
    return [*findings, *_look("inference", "check_backends", model, BATCH_SIZE)]


def can_scan(findings: Sequence[Finding]) -> bool:
    """Whether a scan on the processor works."""
    return all(finding.state is not State.BROKEN for finding in findings)


def _look(module: str, function: str, *arguments: Model | int) -> list[Finding]:
    try:
        check: Callable[..., Finding | list[Finding]] = getattr(
            import_module(f"cxr_runtime.doctor.{module}"), function
        )
        found = check(*arguments)
    except Exception as error:  # noqa: BLE001  # half an install may raise anything, and that is to be told
        told = f"cannot be looked at: {type(error).__name__}: {' '.join(str(error).split())}"
        return [Finding(function.removeprefix("check_"), State.BROKEN, told)]
    return found if isinstance(found, list) else [found]
