"""What goes where, as a command asked for it: all at once, or beside a service."""

import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from cxr_runtime.journal import Journal
from cxr_runtime.sending.destination import Destination
from cxr_runtime.sending.sender import Sender, Sent
from cxr_runtime.store.folder import folders_with_stores

ENDING_SECONDS = 15.0  # that a result in hand has to arrive when the service ends


@dataclass(frozen=True)
class Route:
    """What goes where: a command makes its senders of it."""

    destination: Destination
    kinds: frozenset[str]

    def send_all(self, out: Path, journal: Journal) -> Sent:
        """Send all that waits in an output folder or its days, each result once.

        Raises:
            StoreError: as of `Sender.round`.
        """
        with Sender(partial(folders_with_stores, out), self.destination, self.kinds, journal) as sender:
            return sender.round(at_once=True)

    def beside(self, out: Path, journal: Journal) -> "SendingThread":
        """Send, beside a service, whatever it stores in an output folder or its days."""
        folders = partial(folders_with_stores, out)
        return SendingThread(Sender(folders, self.destination, self.kinds, journal))


class SendingThread:
    """A sender that runs beside a service, and keeps it from nothing."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._thread = threading.Thread(target=sender.run, daemon=True, name="sender")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; a result that does not arrive in time is left behind, and sent again another time."""
        self._sender.end()
        self._thread.join(ENDING_SECONDS)
