"""The queues of all folders that may owe something; one whose store fails keeps none of the others back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.journal import Journal
from cxr_runtime.sending.outbox import Outbox
from cxr_runtime.store.deliveries import is_ahead
from cxr_runtime.store.folder import day_of
from cxr_runtime.store.sqlite import store_errors


@dataclass(frozen=True)
class Failure:
    """Why a folder cannot be sent from."""

    error: CxrTriageError | OSError
    due: datetime  # UTC: when it is tried again


@dataclass
class Outboxes:
    """Queues by folder; those of earlier days are closed when they owe nothing."""

    folders: Callable[[], Iterable[Path]]  # those that are there now
    target: str  # the archive
    kinds: frozenset[str]
    journal: Journal
    retries_refused: bool  # what the archive refused for good is sent once more
    failing: dict[Path, Failure] = field(default_factory=dict)
    _open: dict[Path, Outbox] = field(default_factory=dict)
    _done: set[Path] = field(default_factory=set)  # folders of earlier days that owe nothing

    def close(self) -> None:
        """Let others send from the folders."""
        for outbox in self._open.values():
            outbox.close()
        self._open.clear()

    def have_work(self, now: datetime) -> bool:
        """Whether anything was stored, or has come due, since the last round."""
        return any(
            folder not in self._open or self._open[folder].has_work(now)
            for folder in self._owing()
            if not self._is_spared(folder, now)
        )

    def each(self, send: Callable[[Outbox], None], now: datetime | None, again: datetime) -> None:
        """Send from every folder that may owe something.

        Args:
            send: what is due of one queue; a StoreError or OSError of it is that folder's alone.
            now: UTC; None: folders that fail are tried, too.
            again: UTC: when a folder is tried again that fails now.
        """
        folders = self._owing()
        self.failing = {folder: failure for folder, failure in self.failing.items() if folder in folders}
        for folder in folders:
            if now is not None and self._is_spared(folder, now):
                continue
            try:
                with store_errors(str(folder / STORE_FILE)):
                    self._send_from(folder, send, is_latest=folder == folders[-1])
            except (CxrTriageError, OSError) as error:
                if folder not in self.failing:
                    day = {"day": day_of(folder)} if day_of(folder) else {}
                    self.journal.note("sending-failed", error=type(error).__name__.lower(), **day)
                self.failing[folder] = Failure(error, again)
            else:
                self.failing.pop(folder, None)

    def _send_from(self, folder: Path, send: Callable[[Outbox], None], *, is_latest: bool) -> None:
        if folder not in self._open:
            self._open[folder] = Outbox(folder, self.target, self.kinds, retries_refused=self.retries_refused)
        outbox = self._open[folder]
        if not (is_latest or outbox.left()):
            self._open.pop(folder).close()
            self._done.add(folder)
            return
        version = outbox.store.version()
        send(outbox)
        outbox.end_round(version)

    def _owing(self) -> list[Path]:
        """Folders that may owe something, the latest last."""
        return sorted({*self.folders(), *self._open} - self._done)

    def _is_spared(self, folder: Path, now: datetime) -> bool:
        return folder in self.failing and is_ahead(self.failing[folder].due, now)
