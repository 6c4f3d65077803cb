"""The scan: from a folder of films to a ranked worklist with heat maps."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cxr_runtime.backends import open_engine
from cxr_runtime.backends.engine import Engine
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.heat.map import HeatMethod
from cxr_runtime.model.folder import DEFAULT_MODEL, Model, open_model
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.progress import Progress, Silence
from cxr_runtime.reports.formats import DEFAULT_FORMATS, ReportFormat
from cxr_runtime.reports.publishing import Publisher
from cxr_runtime.reports.tally import Tally
from cxr_runtime.scanning.examination import Examination, Examined
from cxr_runtime.scanning.fingerprint import settings_digest
from cxr_runtime.scanning.flow import examine_all, finish_all
from cxr_runtime.scanning.scoring import Scorer
from cxr_runtime.sources.find import Found, find_films
from cxr_runtime.store.folder import default_output_folder, held
from cxr_runtime.store.store import Store
from cxr_runtime.workers.pool import WorkerPool

MAX_WORKERS = 8  # more processes than this would wait for the one that infers


@dataclass(frozen=True)
class ScanOptions:
    """How to scan; the defaults suit a workstation."""

    out: Path | None = None  # output folder; None: `NAME-cxr-triage` beside the first input
    model: str | Path = DEFAULT_MODEL  # name of a bundled model, or a model folder
    backend: str = "auto"  # auto, onnxruntime, openvino, cuda or tensorrt
    operating_point: str | None = None  # None: the calibration's default one
    heat: HeatMethod = HeatMethod.CAM
    lung_outline: bool = False  # drawn on the pictures in heatmaps/; the PDF and the worklist always have it
    workers: int | None = None  # processes that read films; None: one a processor
    batch_size: int = 8  # films inferred at once
    formats: frozenset[ReportFormat] = DEFAULT_FORMATS
    allow_uncalibrated: bool = False  # every report is then marked
    require_gpu: bool = False  # fail rather than fall back to the processor
    force: bool = False  # do finished films anew


@dataclass(frozen=True)
class ScanSummary:
    """What a scan came to; the rows are in the store of `out`."""

    out: Path  # the output folder
    tally: Tally  # how many films ended how
    finished_before: int  # of all films, those that an earlier run had done
    passed_over: int  # files that cannot be films by name
    backend: str  # the provider that was used

    def outcomes(self) -> Iterator[Outcome]:
        """The rows of results.csv, in input order."""
        with Store.open(self.out) as store:
            yield from store.outcomes()


def scan(
    inputs: Sequence[str | Path], options: ScanOptions | None = None, progress: Progress | None = None
) -> ScanSummary:
    """Score films and write the reports.

    Args:
        inputs: films, folders and zip files.
        options: how to scan.
        progress: told of every film.

    Returns:
        Counts; a film that could not be scored is counted and stored, never raised.

    Raises:
        UsageError: an input does not exist.
        ModelError: the model or its calibration is refused.
        BackendError: the asked backend is not usable.
        StoreError: the output folder cannot be written.
        CxrTriageError: no film was found.
    """
    options, progress = options or ScanOptions(), progress or Silence()
    names = [str(name) for name in inputs]
    out = options.out or default_output_folder(names[0])
    found = _find(names, out)
    model = open_model(options.model, allow_uncalibrated=options.allow_uncalibrated)
    point = model.calibration.operating_point(options.operating_point)
    publisher = Publisher(out, model, point, options.heat, options.formats, lung_outline=options.lung_outline)
    workers = min(options.workers or os.cpu_count() or 1, MAX_WORKERS, len(found.sources))
    with (
        held(out),
        Store.open(out) as store,
        WorkerPool[Examination, Examined]("cxr_runtime.scanning.examination:examine", workers) as pool,
        closing(_engine(model, options)) as engine,
    ):
        scorer = Scorer(model, engine, point, options.heat, options.batch_size)
        settings = settings_digest(model.manifest, options.heat, lung_outline=options.lung_outline)
        store.begin_run(source.file for source in found.sources)
        progress.begin("scanning films", len(found.sources))
        examined = examine_all(pool, _tasks(found, store, model, "" if options.force else settings))
        finished_before = 0
        for outcome in finish_all(examined, scorer, publisher.draw, store, settings):
            finished_before += outcome is None
            if outcome is not None and outcome.status is not Status.SCORED:
                progress.say(f"{outcome.status}: {outcome.file}: {outcome.message} [{outcome.code}]")
            progress.advance()
        progress.end()
        store.rejudge(list(_judged_anew(store, scorer)))
        counts = publisher.publish(store, names, engine.backend, found.passed_over)
        return ScanSummary(out, counts, finished_before, found.passed_over, engine.backend)


def _find(names: list[str], out: Path) -> Found:
    found = find_films(names, exclude=out)
    if not found.sources:
        raise CxrTriageError(
            f"no film found in {', '.join(names)} ({found.passed_over} other files); "
            "expected PNG, JPEG, TIFF, BMP or DICOM files, or zip files of them"
        )
    return found


def _engine(model: Model, options: ScanOptions) -> Engine:
    return open_engine(
        model,
        options.backend,
        batch_size=options.batch_size,
        threads=None,
        require_gpu=options.require_gpu,
    )


def _tasks(found: Found, store: Store, model: Model, settings: str) -> Iterator[Examination]:
    """One task a film; a film finished with these settings is only checked for being the same file."""
    for source in found.sources:
        finished = store.finished_sha256(source.file, settings)
        yield Examination(source, model.manifest.preprocessing, finished)


def _judged_anew(store: Store, scorer: Scorer) -> Iterator[Outcome]:
    """Rows of earlier runs that today's calibration and operating point judge otherwise."""
    for score in store.scores():
        if score.margin is not None:
            judged = scorer.judge(score.outcome, score.margin)
            if judged != score.outcome:
                yield judged
