"""A store as a service reads it: beside the connection that writes, or the folder of another day."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

from cxr_runtime.seals import sealed_place
from cxr_runtime.store.rows import PLACE
from cxr_runtime.store.sqlite import one_moment
from cxr_runtime.store.store import Store

_MARKED = (
    "SELECT places.stamp, places.file, places.seal, results.sha256, results.fingerprint FROM places"
    " JOIN results ON results.id = places.result WHERE results.is_lasting"
)


class StoreBeside(Store):
    """Nothing here writes a byte, either."""

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """What is read within is of one moment, whatever a service writes meanwhile."""
        with one_moment(self._db, self.name):
            yield

    def marks(self) -> Iterator[str]:
        """Stamps and digests of all films that have a lasting row, made by this machine.

        Raises:
            StoreError: the store is damaged.
        """
        return chain.from_iterable(self._marked(_MARKED))

    def lasting(self, digests: Iterable[str]) -> dict[str, frozenset[str]]:
        """Which of these films have a lasting row, made by this machine.

        Args:
            digests: their sha256.

        Returns:
            By digest the stamps of the files that were read.

        Raises:
            StoreError: the store is damaged.
        """
        query = f"{_MARKED} AND results.sha256 = ?"
        found = {digest: frozenset(stamp for stamp, _ in self._marked(query, digest)) for digest in digests}
        return {digest: stamps for digest, stamps in found.items() if stamps}

    def _marked(self, query: str, *asked: str) -> Iterator[tuple[str, str]]:
        for stamp, file, seal, sha256, fingerprint in self._rows(query, *asked):
            if self._sealer.is_right(seal, PLACE, sealed_place(stamp, file, sha256, fingerprint)):
                yield stamp, sha256
