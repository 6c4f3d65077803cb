"""Reports of all that a store holds: made again, or after stores of several machines became one."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cxr_runtime.access import PRIVATE, Access
from cxr_runtime.errors import StoreError, UsageError
from cxr_runtime.files import DEFAULT_FORMATS, HEATMAPS_FOLDER, ReportFormat
from cxr_runtime.names import printable
from cxr_runtime.outcome import Status
from cxr_runtime.presentation import Wishes, kept_prevalence
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.reports.publishing import Publication, publish
from cxr_runtime.sources.kinds import is_hidden
from cxr_runtime.store.folder import has_store, held
from cxr_runtime.store.joining import JoiningStore
from cxr_runtime.store.opening import store_in
from cxr_runtime.store.rows import RunFacts
from cxr_runtime.store.store import Store
from cxr_runtime.store.trust import Taken, TrustingStore, untrusted
from cxr_runtime.store_file import is_store

MOST_NAMED = 5  # models that a remark names


@dataclass(frozen=True)
class ReportOptions:
    """How reports of a store are made."""

    formats: frozenset[ReportFormat] = DEFAULT_FORMATS
    trust: bool = False  # take rows that this machine has not sealed, and seal them
    access: Access = PRIVATE  # who may read what is written
    wishes: Wishes = field(default_factory=Wishes)  # how the reports look and speak, if not as the last ones

    def __post_init__(self) -> None:
        """Refuse what a store alone cannot give.

        Raises:
            UsageError: DICOM results are wanted.
        """
        if ReportFormat.DICOM in self.formats:
            raise UsageError(
                "DICOM results are made while a film is scored, for the store keeps nothing of its header; "
                "expected --format without dicom: use `cxr-triage scan` or `watch` for them"
            )


@dataclass(frozen=True)
class Reported:
    """What reports of a whole store came to."""

    out: Path  # the output folder
    publication: Publication | None  # None: no scan has ended, so that its model is not known
    on_trust: int = 0  # rows that were taken on trust
    taken: tuple[Taken, ...] = ()  # what came from other stores


def report_again(folder: Path, options: ReportOptions | None = None) -> Reported:
    """Make the reports of a store again: one row a film, by arrival, whatever run it is of.

    Args:
        folder: of a scan.
        options: which reports, and whether strange rows are trusted.

    Raises:
        StoreError: the folder holds no store, no run of it has ended, it holds rows that this machine has not
            sealed and they are not to be trusted, or it cannot be written.
        OSError: the disk is full, or fails.
    """
    options = options or ReportOptions()
    store_in(folder)
    with held(folder, options.access), TrustingStore.open(folder, options.access) as store:
        on_trust = _own_rows(store, options)
        publication = _published(store, folder, options)
        if publication is None and not on_trust:
            raise StoreError(
                f"no scan into {printable(store.name)} has ended, so that nothing is known of its model; "
                "scan into the same folder again, which writes the reports"
            )
        return Reported(folder, publication, on_trust)


def restore(file: Path, folder: Path, options: ReportOptions | None = None) -> Reported:
    """Make an output folder of a backup: its store, and all reports.

    Args:
        file: as `backup` wrote it; nothing of it is changed.
        folder: new, or empty.
        options: as for `report_again`.

    Raises:
        UsageError: there is no such file, or it is no store.
        StoreError: it holds what no scan stores, or rows that would have to be trusted; or the folder is not
            empty, or cannot be written.
        OSError: the disk is full, or fails.
    """
    options = options or ReportOptions()
    if not file.is_file():
        raise UsageError(
            f"there is no backup {printable(str(file))}; expected a file made by `cxr-triage backup`"
        )
    if os.access(file, os.R_OK) and not is_store(file.resolve()):
        raise UsageError(
            f"{printable(str(file))} is not a backup; expected a file made by `cxr-triage backup`: check "
            "the name"
        )
    _refuse_unless_empty(folder)
    with Store.open_file(file) as source:
        return _joined([source], folder, options, is_new=True)


def _refuse_unless_empty(folder: Path) -> None:
    """Films would never be scanned again in a folder that holds a store."""
    if not folder.is_dir() or has_store(folder):  # what a store that is there holds is seen once it is open
        return
    made = {HEATMAPS_FOLDER}  # by a restore that was killed, or a scan that is about to begin
    if any(path.name not in made and not is_hidden(path.name) for path in folder.iterdir()):
        raise StoreError(
            f"{printable(str(folder))} is not empty, and a backup is restored into a new folder alone: name "
            "another one"
        )


def merge(folders: Sequence[Path], out: Path, options: ReportOptions | None = None) -> Reported:
    """Make one store of several: every run and place is kept, and each film has one row in the reports.

    Args:
        folders: of scans; `out` may be one of them. Nothing of the others is changed.
        out: new, or of an earlier merge or scan: what it holds stays, and nothing is taken twice.
        options: as for `report_again`.

    Raises:
        UsageError: no folder is given.
        StoreError: a folder holds no store, holds what no scan stores, or rows that would have to be trusted;
            or `out` cannot be written. Then nothing was taken from any.
        OSError: the disk is full, or fails.
    """
    options = options or ReportOptions()
    if not folders:
        raise UsageError("no DIR is given; expected output folders of scans")
    for folder in folders:
        store_in(folder)
    others = {folder.resolve(): folder for folder in folders if folder.resolve() != out.resolve()}
    opened = list[Store]()
    try:
        opened += (Store.open(folder) for folder in others.values())
        return _joined(opened, out, options, is_new=False)
    finally:
        for store in opened:
            store.close()


def _joined(sources: Sequence[Store], out: Path, options: ReportOptions, *, is_new: bool) -> Reported:
    with held(out, options.access), JoiningStore.open(out, options.access) as store:
        if is_new and store.last_run() and not _holds_the_same(store, sources):  # as a restore that broke off
            raise StoreError(
                f"{printable(str(out))} holds a scan already; expected a new folder: restore into another "
                "one, or move this one away (`cxr-triage report` makes reports that are missing)"
            )
        on_trust = _own_rows(store, options)
        taken = store.join(sources, trust=options.trust)
        on_trust += sum(told.on_trust for told in taken)
        return Reported(out, _published(store, out, options), on_trust, tuple(taken))


def _holds_the_same(store: Store, sources: Sequence[Store]) -> bool:
    """Whether a store states the scans that another one states, and no other ones."""
    return [[facts for facts, _ in one.ended()] for one in sources] == [[facts for facts, _ in store.ended()]]


def _own_rows(store: TrustingStore, options: ReportOptions) -> int:
    """See that this machine has sealed the store's own rows; how many had to be taken on trust."""
    seals = [score.is_ours for score in store.scores(None)]
    runs = [is_ours for _, is_ours in store.ended()]
    if all(seals) and all(runs):
        return 0
    if not options.trust:
        raise untrusted(store.name, seals.count(False), len(seals), runs.count(False))
    return store.take_on_trust()


def _published(store: TrustingStore, folder: Path, options: ReportOptions) -> Publication | None:
    facts = _facts(store)
    if facts is None:
        return None
    before = facts.presentation
    usual = replace(before, prevalence=kept_prevalence() or before.prevalence)
    facts = replace(facts, presentation=options.wishes.over(usual))
    pictures = HeatmapFiles(
        folder,
        facts.heat,
        options.formats,
        facts.lung_outline,
        options.access,
        colours=facts.presentation.colours,
    )
    return publish(store, None, facts, pictures)


def _facts(store: Store) -> RunFacts | None:
    """What the reports of all films state: the latest run's facts, and where the films' own differ."""
    stated = [facts for facts, _ in store.ended()]
    if not stated:
        return None
    inputs = dict.fromkeys(name for facts in stated for name in facts.inputs)
    models = dict[tuple[str, str], None]()
    points: set[tuple[str, float | None]] = {(stated[-1].operating_point, stated[-1].threshold)}
    for outcome in store.outcomes(None):
        if outcome.status is Status.SCORED:
            models[outcome.model, outcome.model_sha256] = None
            points.add((outcome.operating_point, outcome.threshold))
    remarks = [remark for facts in stated for remark in facts.model_remarks]
    if len(models) > 1:
        named = ", ".join(printable(name) for name, _ in list(models)[:MOST_NAMED])
        remarks.append(f"The films were scored by {len(models)} models ({named}); each row names its own.")
    if len(points) > 1:
        remarks.append(f"The films were judged by {len(points)} thresholds; each row states its own.")
    return replace(
        stated[-1],
        inputs=tuple(inputs),
        backend=", ".join(store.backends(None)),
        is_calibrated=all(facts.is_calibrated for facts in stated),
        is_met=all(facts.is_met for facts in stated),
        model_remarks=tuple(dict.fromkeys(remarks)),
        foreign=" ".join(dict.fromkeys(facts.foreign for facts in stated if facts.foreign)),
        likeness=stated[-1].likeness if len({facts.likeness for facts in stated}) == 1 else "",
        passed_over=0,
        results=(),
        seen=0,
    )
