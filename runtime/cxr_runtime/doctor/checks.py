"""Every check in turn; one that fails of itself is a finding too."""

from collections.abc import Callable
from functools import partial

from cxr_runtime.doctor import hardware, inference, installs
from cxr_runtime.doctor.finding import Finding, State
from cxr_runtime.errors import CxrTriageError

BATCH_SIZE = 8  # as a scan's own, so that its self-tests are found again

Check = Callable[[], Finding | list[Finding]]

# A check imports what it looks at when it runs: a package that does not load must not hide the rest.
CHECKS: dict[str, Check] = {
    "python": installs.check_python,
    "packages": installs.check_packages,
    "imports": installs.check_imports,
    "conflicts": installs.check_conflicts,
    "processors": hardware.check_processors,
    "gpu": hardware.check_gpu,
    "tensorrt": hardware.check_tensorrt,
    "codecs": installs.check_codecs,
    "fonts": installs.check_fonts,
    "sandbox": hardware.check_sandbox,
    "memory limit": hardware.check_memory_limit,
    "disk": hardware.check_disk,
    "models": inference.check_models,
    "worker": inference.check_worker,
    "engines": inference.check_engines,
}


def check_everything(model_name: str) -> list[Finding]:
    """Look at everything a scan rests on.

    Args:
        model_name: a model that came with the program, or a folder, for the backends' self-tests.
    """
    memory = hardware.check_memory()
    if memory.state is State.BROKEN:
        return [memory]  # what the others import could end this process without a word
    checks = CHECKS | {"backends": partial(_check_backends, model_name)}
    return [memory, *(finding for name, check in checks.items() for finding in _look(name, check))]


def _check_backends(model_name: str) -> list[Finding]:
    from cxr_runtime.model.folder import open_model

    try:
        model = open_model(model_name, allow_uncalibrated=True)
    except CxrTriageError as error:
        return [Finding("backends", State.BROKEN, f"cannot be tested: {error}")]
    return inference.check_backends(model, BATCH_SIZE)


def _look(name: str, check: Check) -> list[Finding]:
    try:
        found = check()
    except Exception as error:  # noqa: BLE001  # half an install may raise anything, and that is to be told
        told = f"cannot be looked at: {type(error).__name__}: {' '.join(str(error).split())}"
        return [Finding(name, State.BROKEN, told)]
    return found if isinstance(found, list) else [found]
