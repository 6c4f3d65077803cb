"""A session without an end, as services have it: its reports hold every film of the store, by arrival."""

from collections.abc import Iterable
from dataclasses import replace

from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.reports.publishing import Written, complete_pictures
from cxr_runtime.scanning.facts import Asked
from cxr_runtime.scanning.known import StandingFilms
from cxr_runtime.scanning.scoring import judged_anew
from cxr_runtime.scanning.session import Session
from cxr_runtime.store.rows import RunFacts
from cxr_runtime.store.store import Store


class LongSession(Session):
    """Takes over a store that earlier sessions filled; a film that stands as it was finished has its row."""

    _known_as = StandingFilms

    def warm_up(self) -> None:
        """Load the engine and start the workers now, that the first film need not wait for them."""
        self._station.warm_up()

    def take_stock(self, inputs: Iterable[str]) -> None:
        """Judge all films by today's operating point, and draw the pictures that are missing.

        Args:
            inputs: where films will come from, as typed.

        Raises:
            OSError: the disk is full, or fails.
            StoreError: the disk is full.
        """
        films = self._store.overview.judged(None)
        self._store.rejudge(self._fingerprint, judged_anew(films, self._model.calibration, self._point))
        # Noted before the first film, so that its run is known for a service's, come what may; and only now,
        # so that no run states a threshold by which it has not judged all films.
        self._store.end_run(self._run, self.facts(self._store, inputs))
        complete_pictures(self._store, None, self.files)

    @property
    def files(self) -> HeatmapFiles:
        """The output folder's pictures."""
        assert self._files is not None
        return self._files

    def facts(self, store: Store, inputs: Iterable[str]) -> RunFacts:
        """What the reports state as of now.

        Args:
            store: this session's, by whatever connection.
            inputs: where films come from, as typed.
        """
        return replace(
            self._stated(store, None, Asked(tuple(inputs), 0, (), self._options.lung_outline)),
            is_of_store=True,
        )

    def note_reports(self, facts: RunFacts, written: Written) -> None:
        """Note the reports that were written from the store.

        Raises:
            StoreError: the disk is full.
        """
        self._store.end_run(self._run, facts)
        written.note(self._store)

    def withdraw(self, file: str) -> None:
        """Take back the row of a file that had gone before it could be read."""
        self._store.withdraw(self._run, file)
