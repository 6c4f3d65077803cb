"""Films as the reports show them: read from the store once, for the list and for the pages."""

from collections.abc import Collection, Iterable, Iterator

from cxr_runtime.heat.overlay import recoloured
from cxr_runtime.identity import IdentityKind
from cxr_runtime.names import safe_name
from cxr_runtime.outcome import Triage
from cxr_runtime.reports.exhibit import Exhibit, Picture
from cxr_runtime.reports.wording import owner as owner_of
from cxr_runtime.store.films import Films
from cxr_runtime.store.rows import RunFacts, StoredPicture
from cxr_runtime.store.store import Store

WITH_A_PAGE = (Triage.FLAGGED, Triage.REVIEW)
Ranked = tuple[int, Exhibit]  # place by suspicion, from 1, and the film


class ShownFilms:
    """The films of a run or of a whole store, most suspicious first.

    Args:
        store: that holds them.
        films: which.
        facts: what the reports state of them.
        count: how many they are, if those with a page are to be kept from `every` for `with_a_page`.
    """

    def __init__(self, store: Store, films: Films, facts: RunFacts, count: int | None = None) -> None:
        self._store, self._films, self._facts, self._count = store, films, facts, count
        self._room = facts.presentation.pdf_pages or 0  # without a bound, in old stores, none are kept
        self._kept: list[Ranked] | None = None

    def every(self) -> Iterator[Exhibit]:
        """All of them, each read when it is asked for."""
        kept = list[Ranked]()
        for rank, exhibit in enumerate(self._read(), start=1):
            if exhibit.outcome.triage in WITH_A_PAGE and len(kept) < self._room:
                kept.append((rank, exhibit))
            if self._room and rank == self._count:  # the list asks for no more than there are
                self._kept = kept
            yield exhibit

    def with_a_page(self) -> Iterable[Ranked]:
        """Those that a reader is asked to look at, as many as may have a page or more."""
        if self._kept is not None:
            return self._kept
        ranked = enumerate(self._read(WITH_A_PAGE), start=1)
        return ((rank, exhibit) for rank, exhibit in ranked if exhibit.outcome.triage in WITH_A_PAGE)

    def _read(self, pictured: Collection[Triage] | None = None) -> Iterator[Exhibit]:
        """All of them; if triages are given, only films of these with their pictures."""
        label = self._facts.identity
        for outcome, picture in self._store.pictured(self._films, pictured):
            seen = None if picture is None else shown(picture, self._facts)
            kept = self._store.identities.of(outcome.sha256, label) if label != IdentityKind.NONE else None
            owner = owner_of(kept) if kept else ()
            name = safe_name(outcome.file, outcome.sha256)
            patient, studied = (kept.person, kept.studied) if kept else ("", "")
            yield Exhibit(outcome, seen, name, owner=owner, patient=patient, studied=studied)


def shown(picture: StoredPicture, facts: RunFacts) -> Picture:
    """What the reports show of what the store keeps."""
    return Picture(
        picture.preview_jpeg,
        picture.placement.film_hw,
        None if picture.heat_png is None else recoloured(picture.heat_png, facts.presentation.colours),
        picture.thumbnail_jpeg or picture.preview_jpeg,  # 0.1.0 kept no thumbnails
        picture.lung_outlines,
        picture.spacing_mm,
        picture.heat_cells,
        picture.placement,
        facts.heat,
    )
