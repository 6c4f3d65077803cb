"""How films are scored, as a user asks for it."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from cxr_runtime.access import PRIVATE, Access, shared_with
from cxr_runtime.files import DEFAULT_FORMATS, PREVIEW_QUALITY, ReportFormat, parse_formats
from cxr_runtime.heat.map import HeatMethod
from cxr_runtime.identity import IdentityKind
from cxr_runtime.machine_memory import parse_size
from cxr_runtime.model.folder import DEFAULT_MODEL
from cxr_runtime.presentation import Presentation
from cxr_runtime.sources.part import Part


@dataclass(frozen=True)
class ScanOptions:
    """How films are scored; the defaults suit a workstation."""

    out: Path | None = None  # output folder; None: named after the first input; a bare session has none
    model: str | Path = DEFAULT_MODEL  # name of a bundled model, or a model folder
    backend: str = "auto"  # auto, onnxruntime, openvino, cuda or tensorrt
    operating_point: str | None = None  # None: the calibration's default one
    heat: HeatMethod = HeatMethod.CAM
    lung_outline: bool = False  # drawn on the pictures in heatmaps/; the PDF and the worklist always have it
    preview_quality: int = PREVIEW_QUALITY  # of the film that the store keeps, 60 to 95
    workers: int | None = None  # processes that read films; None: one a processor; fewer if memory is short
    memory: int | None = None  # bytes for the scan and its workers; None: what the machine has
    batch_size: int = 8  # films inferred at once
    formats: frozenset[ReportFormat] = DEFAULT_FORMATS
    allow_uncalibrated: bool = False  # every report is then marked
    require_gpu: bool = False  # fail rather than fall back to the processor
    require_sandbox: bool = False  # fail rather than read films in processes that the system does not confine
    require_signed: bool = False  # refuse a model from elsewhere that nobody signed whose key is here
    force: bool = False  # do finished films anew
    access: Access = PRIVATE  # who may read the output folder
    is_dated: bool = False  # each day has a folder of its own in `out`
    identity: IdentityKind = IdentityKind.NONE  # what reports and store know of patients
    follow_links: bool = False  # a scan follows links that lead out of its inputs, too
    presentation: Presentation = field(default_factory=Presentation)  # how the reports look and speak
    calibration: Path | None = None  # calibration.json or its folder; None: the user's own, or the model's
    part: Part | None = None  # scan only these of the films
    cluster: str | None = None  # address of a Ray cluster that does the films, or `local`
    result_kinds: frozenset[str] | None = None  # of DICOM results: sc, pdf, sr; None: all

    @classmethod
    def of_words(
        cls,
        out: Path | None,
        *,
        model: str,
        calibration: Path | None,
        backend: str,
        operating_point: str | None,
        heat: str,
        lung_outline: bool,
        preview_quality: int,
        workers: int | None,
        memory: str | None,
        formats: str,
        allow_uncalibrated: bool,
        require_gpu: bool,
        require_sandbox: bool,
        require_signed: bool,
        identity: str | None,
        share_with: str | None,
        presentation: Presentation,
    ) -> Self:
        """What commands and the file of settings share, as it was typed.

        Raises:
            UsageError: a size, a format or a group is none.
        """
        return cls(
            out=out,
            model=model,
            calibration=calibration,
            backend=backend,
            operating_point=operating_point,
            heat=HeatMethod(heat),
            lung_outline=lung_outline,
            preview_quality=preview_quality,
            workers=workers,
            memory=None if memory is None else parse_size(memory),
            formats=parse_formats(formats),
            allow_uncalibrated=allow_uncalibrated,
            require_gpu=require_gpu,
            require_sandbox=require_sandbox,
            require_signed=require_signed,
            access=PRIVATE if share_with is None else shared_with(share_with),
            identity=IdentityKind(identity or "none"),
            presentation=presentation,
        )

    def with_results(self, kinds: frozenset[str]) -> Self:
        """The same with the DICOM results that are to be sent; where `dicom` is a format, all are made.

        Args:
            kinds: of sc, pdf and sr.
        """
        if ReportFormat.DICOM in self.formats:
            return self
        return replace(self, formats=self.formats | {ReportFormat.DICOM}, result_kinds=kinds)
