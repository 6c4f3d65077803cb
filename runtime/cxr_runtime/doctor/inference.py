"""Models, a film through a real worker, engines, and every backend's self-test with its time."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cxr_runtime.doctor.finding import Finding, State
from cxr_runtime.errors import BackendError, CxrTriageError

if TYPE_CHECKING:
    from cxr_runtime.backends.self_test import SelfTestResult
    from cxr_runtime.model.folder import Model


def check_models() -> Finding:
    """Checksums and calibrations of the models that came with the program."""
    from cxr_runtime.model.folder import bundled_models, open_model

    names = bundled_models()
    if not names:
        return Finding("models", State.BROKEN, "none came with this installation; install cxr-triage anew")
    told, details, state = [], [], State.OK
    for name in names:
        try:
            model = open_model(name)
        except CxrTriageError as error:
            state, words = State.BROKEN, str(error)
        else:
            words = f"sha256 {model.manifest.model_sha256[:12]}, {model.manifest.precision}, calibrated"
        told.append(f"{name}: {words}")
        details.append((name, words))
    return Finding("models", state, "; ".join(told), tuple(details))


def check_engines() -> Finding:
    """Compiled engines in the cache."""
    from cxr_runtime.backends.nvidia.engine_cache import EngineCache

    try:
        cache = EngineCache()
        keys = cache.keys()
    except (BackendError, OSError) as error:
        return Finding("engines", State.WARNING, str(error))
    details = tuple((key.name, f"{key.compiler}, {key.gpu}, {key.options['precision']}") for key in keys)
    told = f"{len(keys)} in {cache.folder}" if keys else "none compiled yet"
    return Finding("engines", State.OK if keys else State.ABSENT, told, details)


def check_worker() -> Finding:
    """A drawn film, scored in a session as a scan scores every film: worker, gate, network and store."""
    from cxr_runtime.outcome import Status
    from cxr_runtime.phantom import draw_phantom
    from cxr_runtime.pictures import encode_png
    from cxr_runtime.scanning.options import ScanOptions
    from cxr_runtime.scanning.session import Session
    from cxr_runtime.sources.film_source import FileOnDisk

    with TemporaryDirectory() as folder:
        film = Path(folder, "film.png")
        film.write_bytes(encode_png(draw_phantom(1, hw=(512, 512))))
        try:
            with Session.open(ScanOptions(workers=1, allow_uncalibrated=True)) as session:
                (outcome,) = session.screen([FileOnDisk(film.name, film)])
        except CxrTriageError as error:
            return Finding("worker", State.BROKEN, str(error))
    if outcome.status is not Status.SCORED:
        return Finding("worker", State.BROKEN, f"a drawn film got no score: {outcome.message}")
    return Finding("worker", State.OK, f"a drawn film was read by a worker and scored by {outcome.backend}")


def check_backends(model: "Model", batch_size: int) -> list[Finding]:
    """Every backend's self-test.

    Args:
        model: what they are tested with.
        batch_size: films in a batch.
    """
    from cxr_runtime.backends.registry import BACKENDS

    return [_check_backend(name, model, batch_size) for name in BACKENDS]


def _check_backend(name: str, model: "Model", batch_size: int) -> Finding:
    from cxr_runtime.backends.choose import self_test_of, why_missing
    from cxr_runtime.backends.registry import REFERENCE

    reason = why_missing(name)
    if reason is not None:
        return Finding(f"backend {name}", State.ABSENT, reason)
    result = self_test_of(name, model, batch_size, None)
    if result.agrees:
        return Finding(f"backend {name}", State.OK, _told(result), _details(result))
    state = State.BROKEN if name == REFERENCE else State.WARNING
    return Finding(f"backend {name}", state, f"not used: {result.reason}", _details(result))


def _told(result: "SelfTestResult") -> str:
    return (
        f"{result.backend} agrees (logits {result.logits_difference:.1e}, conv5 "
        f"{result.conv5_difference:.1e}), {result.milliseconds:.2f} ms a film"
    )


def _details(result: "SelfTestResult") -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in vars(result).items())
