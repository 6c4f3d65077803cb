"""CLINIC.toml: every setting of an appliance, what it may be, and what it means."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, model_validator

from cxr_runtime.appliance.readers import Alert, Serve
from cxr_runtime.appliance.section import Age, Prevalence, Section, Size
from cxr_runtime.appliance.section import choice as _choice
from cxr_runtime.appliance.section import setting as _setting
from cxr_runtime.files import DEFAULT_FORMAT_LIST, PREVIEW_QUALITY
from cxr_runtime.identity import IdentityKind
from cxr_runtime.presentation import PDF_PAGES

EVERY_ADDRESS = {"0.0.0.0", "::"}  # hosts that stand for all of this machine's


class Watch(Section):
    """Folders into which films are put."""

    folders: tuple[str, ...] = _setting(
        "folders to watch, also on network shares", ["/srv/films"], min_length=1
    )
    follow_links: bool = _choice(False, "follow links that lead out of these folders")


class Listen(Section):
    """Films that devices send by DICOM."""

    host: str = _choice("127.0.0.1", "address to listen at; 0.0.0.0: all of this machine's")
    port: int = _choice(11112, "port to listen at", ge=1, le=65535)
    aet: str = _choice("CXR-TRIAGE", "AE title that devices call")
    allow: tuple[str, ...] = _choice(
        (), "who may send: AET or AET@HOST; none: anybody on this machine", ["XRAY1@192.168.1.20"]
    )
    tls_cert: Path | None = _choice(None, "our certificate, PEM; then TLS alone", "/etc/cxr-triage/own.pem")
    tls_key: Path | None = _choice(None, "its key, PEM; else in `tls_cert`", "/etc/cxr-triage/own.key")
    tls_client_ca: Path | None = _choice(
        None, "who signs the certificates that devices must show, PEM", "/etc/cxr-triage/devices.pem"
    )
    keep_whole: bool = _choice(
        True, "keep films that cannot be copied without names as they came, in received/whole"
    )
    associations: int = _choice(16, "devices at once; others are asked to try later", ge=1, le=200)


class Send(Section):
    """Results that go to an archive; `identity` above must say what else their pages name."""

    to: str = _setting("archive: AET@HOST:PORT, or a DICOMweb service's address", "PACS@192.168.1.5:104")
    what: str = _choice("sc,pdf,sr", "any of sc (picture), pdf (page), sr (structured report)")
    aet: str = _choice("CXR-TRIAGE", "our own AE title")
    tls_ca: Path | None = _choice(
        None, "who vouches for the archive, PEM; with it, DICOM goes by TLS", "/etc/cxr-triage/archive.pem"
    )
    tls_cert: Path | None = _choice(None, "our certificate, PEM, if it wants one", "/etc/cxr-triage/own.pem")
    tls_key: Path | None = _choice(None, "its key, PEM; else in `tls_cert`", "/etc/cxr-triage/own.key")
    login: Path | None = _choice(
        None, "file with one line, NAME:PASSWORD, for a DICOMweb service", "/etc/cxr-triage/login"
    )


class Screening(Section):
    """How films are scored."""

    model: str = _choice("default", "a model that came with the program, or a model folder")
    calibration: Path | None = _choice(
        None,
        "folder that `cxr-triage calibrate --out` wrote; else your own, or the model's",
        "/srv/calibration",
    )
    backend: Literal["auto", "onnxruntime", "openvino", "cuda", "tensorrt"] = _choice(
        "auto", "what computes the scores: auto, onnxruntime, openvino, cuda or tensorrt"
    )
    operating_point: str | None = _choice(None, "threshold; else the calibration's own", "balanced")
    heat: Literal["cam", "strongest-channel"] = _choice(
        "cam", "heat map: cam, or strongest-channel where the model has it"
    )
    lung_outline: bool = _choice(False, "draw the outline of the lungs on the pictures in heatmaps/, too")
    preview_quality: int = _choice(
        PREVIEW_QUALITY,
        "JPEG quality of films in the store: 88 to 95 at 1024 pixels, below at 736",
        ge=60,
        le=95,
    )
    formats: str = _choice(DEFAULT_FORMAT_LIST, "what is written: any of csv, html, pdf, png, npz, dicom")
    worklist_size: Size = _choice("60M", "worklist.html at most; films down the list get smaller pictures")
    workers: int | None = _choice(
        None, "processes that read films; else one for each processor", 2, ge=1, le=256
    )
    memory: Size | None = _choice(None, "memory for the program; else what the machine has", "8G")
    allow_uncalibrated: bool = _choice(False, "score without a calibration; every report then says so")
    require_gpu: bool = _choice(False, "stop if no GPU can be used")
    require_sandbox: bool = _choice(False, "stop if the programs that read films cannot be confined")
    require_signed: bool = _choice(False, "stop if a model from elsewhere bears no signature that is trusted")


class Reports(Section):
    """How worklist and PDF look and speak."""

    language: str = _choice("en", "en, fr, es, pt, ar, or a catalogue of your own (docs/languages.md)")
    colours: Literal["jet", "inferno"] = _choice("jet", "colours of the heat map: jet or inferno")
    prevalence: Prevalence = _choice(
        None, "share of your films that are abnormal; reports say what a score means there", "5%"
    )
    pdf_pages: int = _choice(PDF_PAGES, "pages of films in the PDF, at most", ge=1)


class Log(Section):
    """What happened, line by line, without names of films or patients."""

    file: Path | None = _choice(
        None, "begins anew at 10 MB, 5 earlier ones stay; else standard error", "/var/log/cxr-triage/log"
    )
    format: Literal["text", "json"] = _choice("text", "lines of the file: text or json")


class HealthFile(Section):
    """The file that a monitoring tool reads."""

    file: Path | None = _choice(
        None, "where it lies; else health.json in `out`", "/var/lib/cxr-triage/health.json"
    )
    every_seconds: float = _choice(10.0, "how often it is written", ge=0.1, le=60)


class Disk(Section):
    """When films have to wait."""

    stop_below: Size = _choice("5G", "room that stays free; below it no film is taken")


class Retention(Section):
    """What is dropped once a day; rows stay for ever."""

    pictures_for: Age | None = _choice(None, "pictures of films that were scored longer ago go", "1y")
    results_for: Age | None = _choice(
        None, "DICOM results that were made longer ago go, if the archive has them", "30d"
    )
    received_for: Age | None = _choice(
        None, "films that devices sent longer ago go, if they have their row", "30d"
    )
    keep_under: Size | None = _choice(
        None, "the oldest of all these go until `out` is below; what is not sent yet stays", "200G"
    )


class Clinic(Section):
    """The whole file."""

    out: Path = _setting("folder for the worklist and all other results", "/srv/results")
    dated: bool = _choice(False, "each day has a folder of its own in it")
    identity: IdentityKind = _choice(
        IdentityKind.NONE, "what worklist, PDF and store say of patients: none, full or pseudonym"
    )
    share_with: str | None = _choice(
        None, "group that may read `out`; else its owner alone (Linux, macOS)", "readers"
    )
    watch: Watch | None = None
    listen: Listen | None = None
    send: Send | None = None
    serve: Serve | None = None
    alert: Alert | None = None
    screening: Screening = Screening()
    reports: Reports = Reports()
    log: Log = Log()
    health: HealthFile = HealthFile()
    disk: Disk = Disk()
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _has_a_way_in(self) -> Self:
        if self.watch is None and self.listen is None:
            raise ValueError("no way for films to come; expected a table [watch] or [listen], or both")
        return self

    @model_validator(mode="after")
    def _says_what_results_carry(self) -> Self:
        if self.send is not None and "identity" not in self.model_fields_set:
            raise ValueError(
                "[send] sends the patient's identifiers, for a result in the film's own study needs them; "
                'expected identity = "none", "full" or "pseudonym" at the top: what else its pages may name'
            )
        return self

    @model_validator(mode="after")
    def _shows_one_folder(self) -> Self:
        if self.dated and (self.serve is not None or self.alert is not None):
            raise ValueError(
                "[serve] and [alert] work on one store, whose accounts, verdicts and similar films must not "
                "begin anew at midnight; expected dated = false: the list can be narrowed to a day"
            )
        return self

    @model_validator(mode="after")
    def _listens_at_two_ports(self) -> Self:
        if self.listen is not None and self.serve is not None and self.listen.port == self.serve.port:
            hosts = {self.listen.host, self.serve.host}
            if len(hosts) == 1 or hosts & EVERY_ADDRESS:
                raise ValueError(
                    f"listen.port and serve.port are both {self.serve.port}; expected two ports: films come "
                    "in at one, browsers at the other"
                )
        return self

    @property
    def health_file(self) -> Path:
        """Where health is written."""
        return self.health.file or self.out / "health.json"


def section_of(table: type[BaseModel], name: str) -> type[Section] | None:
    """The table of that name within a table; None: it is a setting."""
    kinds = (Watch, Listen, Send, Serve, Alert, Screening, Reports, Log, HealthFile, Disk, Retention)
    annotation = table.model_fields[name].annotation
    return next((kind for kind in kinds if annotation in (kind, kind | None)), None)
