"""From the store to the reports: every one of them is made from the store alone."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from cxr_runtime.file_names import REPORT_FILE, RESULTS_FILE, WORKLIST_FILE
from cxr_runtime.heat.colour import heat_layer
from cxr_runtime.heat.map import HeatMethod, film_heat
from cxr_runtime.heat.overlay import thumbnail_jpeg
from cxr_runtime.model.calibration import OperatingPoint
from cxr_runtime.model.folder import Model
from cxr_runtime.names import safe_name
from cxr_runtime.outcome import Triage
from cxr_runtime.pictures import decode_jpeg
from cxr_runtime.reports.exhibit import Exhibit, Picture, RunFacts
from cxr_runtime.reports.formats import ReportFormat
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.reports.pdf import write_report
from cxr_runtime.reports.results_csv import write_results
from cxr_runtime.reports.tally import Tally, tally
from cxr_runtime.reports.worklist import write_worklist
from cxr_runtime.scanning.scoring import Finished
from cxr_runtime.store.store import Store, StoredPicture

_ALL = (*Triage, None)
_WITH_A_PAGE = (Triage.FLAGGED, Triage.REVIEW)


@dataclass(frozen=True)
class Publisher:
    """Draws films as they finish, and writes the reports at the end."""

    out: Path
    model: Model
    point: OperatingPoint
    heat_method: HeatMethod
    formats: frozenset[ReportFormat]
    lung_outline: bool  # on the heat-map pictures

    def draw(self, finished: Finished) -> Finished:
        """Write the heat map files of a film that was scored; any other film has none."""
        if finished.picture is not None and finished.preview is not None and finished.heat is not None:
            outcome = finished.score.outcome
            name = safe_name(outcome.file, outcome.sha256)
            self._heatmaps.write(name, finished.picture, finished.preview, finished.heat)
        return finished

    def publish(self, store: Store, inputs: Sequence[str], backend: str, passed_over: int) -> Tally:
        """Write all asked reports of the store's run.

        Raises:
            OSError: the folder cannot be written, or the disk is full.
        """
        counts = tally(store.outcomes())
        run = self._run_facts(inputs, backend, passed_over)
        if {ReportFormat.PNG, ReportFormat.NPZ} & self.formats:
            for outcome, picture in store.pictured():
                if picture is not None:
                    self._heatmaps.write_missing(safe_name(outcome.file, outcome.sha256), picture)
        if ReportFormat.CSV in self.formats:
            write_results(self.out / RESULTS_FILE, store.outcomes())
        if ReportFormat.HTML in self.formats:
            write_worklist(self.out / WORKLIST_FILE, run, counts, self._exhibits(store))
        if ReportFormat.PDF in self.formats:
            write_report(self.out / REPORT_FILE, run, counts, self._exhibits(store, _WITH_A_PAGE))
        return counts

    @property
    def _heatmaps(self) -> HeatmapFiles:
        recipe = self.model.manifest.heat
        return HeatmapFiles(self.out, recipe, self.heat_method, self.formats, self.lung_outline)

    def _exhibits(self, store: Store, pictured: Container[Triage | None] = _ALL) -> Iterator[Exhibit]:
        """The run's films, most suspicious first; only those of the given triage with their pictures."""
        for outcome, picture in store.pictured():
            shown = None if picture is None or outcome.triage not in pictured else self._picture(picture)
            yield Exhibit(outcome, shown, safe_name(outcome.file, outcome.sha256))

    def _picture(self, picture: StoredPicture) -> Picture:
        recipe, method, placement = self.model.manifest.heat, self.heat_method, picture.placement
        threshold, heat, heat_png = recipe.threshold_of(method), None, None
        if picture.heat_cells is not None:
            heat = film_heat(picture.heat_cells, placement, recipe, method)
            heat_png = heat_layer(heat, placement.film_hw, threshold)
        thumbnail = thumbnail_jpeg(decode_jpeg(picture.preview_jpeg), heat, threshold)
        return Picture(picture.preview_jpeg, placement.film_hw, heat_png, thumbnail, picture.lung_outlines)

    def _run_facts(self, inputs: Sequence[str], backend: str, passed_over: int) -> RunFacts:
        manifest = self.model.manifest
        return RunFacts(
            product=f"cxr-triage {version('cxr-triage')}",
            finished=datetime.now().astimezone(),
            inputs=tuple(inputs),
            model=manifest.name,
            model_sha256=manifest.model_sha256,
            licence=manifest.licence,
            backend=backend,
            is_calibrated=self.model.is_calibrated,
            operating_point=self.point.name,
            threshold=self.point.threshold,
            is_met=self.point.met,
            sensitivity=self.point.sensitivity,
            specificity=self.point.specificity,
            heat_method=self.heat_method.value,
            heat_threshold=manifest.heat.threshold_of(self.heat_method),
            passed_over=passed_over,
        )
