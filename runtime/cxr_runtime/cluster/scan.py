"""`scan --cluster`: films are listed while the machines of a cluster do them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from cxr_runtime.cluster.session import ClusterSession
from cxr_runtime.errors import CxrTriageError, UsageError
from cxr_runtime.files import ReportFormat
from cxr_runtime.identity import IdentityKind
from cxr_runtime.journal import Journal
from cxr_runtime.names import printable
from cxr_runtime.progress import Progress, Silence
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.profile import AnyProfile, NoProfile
from cxr_runtime.scanning.scan import LISTING_SPANS, ScanSummary, refuse_output_folders, screened
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.sources.find import Search, place_of
from cxr_runtime.sources.remote import RemoteSearch, is_url
from cxr_runtime.store.folder import default_output_folder
from cxr_runtime.workers.opener import Opener


@dataclass(frozen=True)
class Listing:
    """Films of folders that every machine reaches under the same name, and of object stores."""

    names: Sequence[str]  # INPUTs as typed
    near: Search
    far: RemoteSearch

    @property
    def passed_over(self) -> int:
        """Files so far that cannot be films by name."""
        return self.near.passed_over + self.far.passed_over

    @property
    def results(self) -> Sequence[str]:
        """Folders of results so far, which are not searched."""
        return self.near.results

    def films(self) -> Iterator[FilmSource]:
        """Films one after the other, those of folders first.

        Raises:
            UsageError: an INPUT does not exist.
        """
        folders = [name for name in self.names if not is_url(name)]
        if folders:
            yield from self.near.films(folders)
        for name in self.names:
            if is_url(name):
                yield from self.far.films(name)


def scan_on_cluster(
    inputs: Sequence[str],
    options: ScanOptions,
    progress: Progress | None = None,
    journal: Journal | None = None,
    profile: AnyProfile | None = None,
) -> ScanSummary:
    """Score films on a cluster and write the reports here; films are listed while others are done.

    Args:
        inputs: films, folders and zip files that every machine reaches under the same name, and URLs of
            object stores.
        options: how to scan; `cluster` is the address.
        progress: hears of every film.
        journal: likewise, without names.
        profile: is told what each stage is busy with; None: nothing is measured.

    Raises:
        UsageError: an INPUT does not exist, no output folder is named for a URL, or the options ask for what
            a cluster does not do.
        InstallationError: Ray is missing, or a machine has another version of the program.
        BackendError: the cluster cannot be reached, or has no machine for long.
        CxrTriageError: no film was found; or as of `scan`.
    """
    progress, journal = progress or Silence(), journal or Journal()
    if options.out is None and is_url(inputs[0]):
        raise UsageError(f"--out is missing; name a folder for the results of {printable(inputs[0])}")
    if options.is_dated:
        raise UsageError("--dated does not go with --cluster; name the day's folder with --out")
    if options.identity is not IdentityKind.NONE or ReportFormat.DICOM in options.formats:
        raise UsageError(
            "a cluster keeps no identities and makes no DICOM results; scan without them, and then once more "
            "without --cluster: that run scores no film again"
        )
    out = options.out or default_output_folder(place_of(inputs[0]))
    profile = profile or NoProfile()
    with profile.whole(), ExitStack() as opened:
        opener = opened.enter_context(Opener())
        ask = partial(opener.chunks, spans=LISTING_SPANS)
        listing = Listing(
            inputs, Search(Path(out), follow_links=options.follow_links, ask=ask), RemoteSearch()
        )
        films = (film for film in listing.films() if options.part is None or options.part.has(film.file))
        first = next(films, None)
        if first is None:
            refuse_output_folders(inputs, out)
            raise CxrTriageError(
                f"no film found in {', '.join(map(printable, inputs))} ({listing.passed_over} other files); "
                "expected PNG, JPEG, TIFF, BMP or DICOM files, or zip files of them"
            )
        options = replace(options, out=out)
        session = opened.enter_context(ClusterSession.open(options, opener=opener, profile=profile))
        journal.note("started")
        progress.begin("scanning films", None)
        return screened(session, out, inputs, chain([first], films), listing, progress, journal)
