"""Models, engines, and every backend's self-test with its time."""

from cxr_runtime.backends.choose import BACKENDS, REFERENCE, verdict_on, why_missing
from cxr_runtime.backends.nvidia.engine_cache import EngineCache
from cxr_runtime.backends.self_test import Verdict
from cxr_runtime.doctor.finding import Finding, State
from cxr_runtime.errors import BackendError, CxrTriageError
from cxr_runtime.model.folder import Model, bundled_models, open_model


def check_models() -> Finding:
    """Checksums and calibrations of the models that came with the program."""
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
    try:
        cache = EngineCache()
        keys = cache.keys()
    except (BackendError, OSError) as error:
        return Finding("engines", State.WARNING, str(error))
    details = tuple((key.name, f"{key.compiler}, {key.gpu}, {key.options['precision']}") for key in keys)
    told = f"{len(keys)} in {cache.folder}" if keys else "none compiled yet"
    return Finding("engines", State.OK if keys else State.ABSENT, told, details)


def check_backend(name: str, model: Model, batch_size: int) -> Finding:
    """One backend's self-test.

    Args:
        name: a key of BACKENDS.
        model: what it is tested with.
        batch_size: films in a batch.
    """
    reason = why_missing(name)
    if reason is not None:
        return Finding(f"backend {name}", State.ABSENT, reason)
    verdict = verdict_on(name, model, batch_size, None)
    if verdict.agrees:
        return Finding(f"backend {name}", State.OK, _told(verdict), _details(verdict))
    state = State.BROKEN if name == REFERENCE else State.WARNING
    return Finding(f"backend {name}", state, f"not used: {verdict.reason}", _details(verdict))


def check_backends(model: Model, batch_size: int) -> list[Finding]:
    """Every backend's self-test."""
    return [check_backend(name, model, batch_size) for name in BACKENDS]


def _told(verdict: Verdict) -> str:
    return (
        f"{verdict.backend} agrees (logits {verdict.logits_difference:.1e}, conv5 "
        f"{verdict.conv5_difference:.1e}), {verdict.milliseconds:.2f} ms a film"
    )


def _details(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in vars(verdict).items())
