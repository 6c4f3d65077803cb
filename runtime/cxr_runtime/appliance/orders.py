"""From the settings to what the parts are given."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cxr_runtime.appliance.readers import Readers
from cxr_runtime.appliance.retention import Kept
from cxr_runtime.appliance.settings import Clinic, Listen, Retention
from cxr_runtime.arrivals.receiver.receiving import Receiving
from cxr_runtime.identity import IdentityKind
from cxr_runtime.journal import Journal, LogFormat
from cxr_runtime.language import language
from cxr_runtime.machine_memory import bytes_of
from cxr_runtime.presentation import Colours, Presentation, Wishes, usual_presentation
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.sending.address import Address, ae_title, parse_kinds
from cxr_runtime.sending.options import SendingOptions, refuse_other_identity
from cxr_runtime.sending.sender import Sender
from cxr_runtime.store.dropping import Kind
from cxr_runtime.store.folder import folders_with_stores
from cxr_runtime.store.pruning import parse_age


@dataclass(frozen=True)
class Sending:
    """How results are sent."""

    options: SendingOptions
    identity: IdentityKind  # that results may carry

    @property
    def archive(self) -> str:
        """By which the store knows the archive."""
        return Address.parse(self.options.to).name

    def sender(self, out: Path, journal: Journal) -> Sender:
        """A new sender, which sends nothing yet.

        Args:
            out: output folder, or the folder of the folders of days.
            journal: of the appliance.

        Raises:
            UsageError: the archive or a certificate cannot be used.
            InstallationError: the extra `dicom` is missing.
            StoreError: results that wait were made with another `identity`.
        """

        for folder in folders_with_stores(out)[-1:]:
            refuse_other_identity(folder, self.identity)
        folders = partial(folders_with_stores, out)
        return Sender(folders, self.options.destination(), self.options.kinds, journal)


@dataclass(frozen=True)
class Orders:
    """What an appliance is to do."""

    out: Path
    is_dated: bool  # each day has a folder of its own in `out`
    screening: ScanOptions  # `out` is given
    folders: tuple[str, ...]  # that are watched
    follow_links: bool
    receiving: Receiving | None  # None: nothing is received
    keeps_whole: bool  # received films that cannot be copied without names
    sending: Sending | None  # None: nothing is sent
    readers: Readers
    stop_below: int  # bytes; with less room no film is taken
    kept: Kept
    health_file: Path
    health_seconds: float  # between two writings of it
    log_file: Path | None
    log_format: LogFormat

    @property
    def inputs(self) -> tuple[str, ...]:
        """Where films come from, for the reports."""
        return self.folders if self.receiving is None else (*self.folders, self.receiving.shown)


def orders_of(clinic: Clinic) -> Orders:
    """What the settings come to.

    Raises:
        UsageError: a setting that this machine does not know, as a group; or a title that is none.
    """
    stop_below = bytes_of(clinic.disk.stop_below, "disk.stop_below")
    return Orders(
        out=clinic.out,
        is_dated=clinic.dated,
        screening=_screening(clinic),
        folders=clinic.watch.folders if clinic.watch else (),
        follow_links=clinic.watch is not None and clinic.watch.follow_links,
        receiving=_receiving(clinic.listen, stop_below) if clinic.listen else None,
        keeps_whole=clinic.listen is not None and clinic.listen.keep_whole,
        sending=_sending(clinic),
        readers=Readers.of(clinic.out, clinic.serve, clinic.alert),
        stop_below=stop_below,
        kept=_kept(clinic.retention),
        health_file=clinic.health_file,
        health_seconds=clinic.health.every_seconds,
        log_file=clinic.log.file,
        log_format=LogFormat(clinic.log.format),
    )


def _receiving(asked: Listen, free_bytes: int) -> Receiving:
    return Receiving(
        host=asked.host,
        port=asked.port,
        title=ae_title(asked.aet, "listen.aet"),
        allow=asked.allow,
        tls_cert=asked.tls_cert,
        tls_key=asked.tls_key,
        tls_client_ca=asked.tls_client_ca,
        associations=asked.associations,
        free_bytes=free_bytes,
    )


def _sending(clinic: Clinic) -> Sending | None:
    asked = clinic.send
    if asked is None:
        return None
    options = SendingOptions(
        asked.to, parse_kinds(asked.what), asked.aet, asked.tls_ca, asked.tls_cert, asked.tls_key, asked.login
    )
    return Sending(options, clinic.identity)


def _kept(asked: Retention) -> Kept:
    ages = {
        Kind.PICTURES: (asked.pictures_for, "retention.pictures_for"),
        Kind.RESULTS: (asked.results_for, "retention.results_for"),
        Kind.RECEIVED: (asked.received_for, "retention.received_for"),
    }
    under = asked.keep_under
    return Kept(
        {kind: parse_age(age, name) for kind, (age, name) in ages.items() if age},
        bytes_of(under, "retention.keep_under") if under else None,
    )


def _screening(clinic: Clinic) -> ScanOptions:
    asked = clinic.screening
    options = ScanOptions.of_words(
        clinic.out,
        model=asked.model,
        calibration=asked.calibration,
        backend=asked.backend,
        operating_point=asked.operating_point,
        heat=asked.heat,
        lung_outline=asked.lung_outline,
        preview_quality=asked.preview_quality,
        workers=asked.workers,
        memory=asked.memory,
        formats=asked.formats,
        allow_uncalibrated=asked.allow_uncalibrated,
        require_gpu=asked.require_gpu,
        require_sandbox=asked.require_sandbox,
        require_signed=asked.require_signed,
        identity=clinic.identity,
        share_with=clinic.share_with,
        presentation=_presentation(clinic),
    )
    return options if clinic.send is None else options.with_results(parse_kinds(clinic.send.what))


def _presentation(clinic: Clinic) -> Presentation:
    asked = clinic.reports
    language(asked.language)
    wishes = Wishes(
        asked.language,
        Colours(asked.colours),
        asked.prevalence,
        asked.pdf_pages,
        bytes_of(clinic.screening.worklist_size, "screening.worklist_size"),
    )
    return wishes.over(usual_presentation())
