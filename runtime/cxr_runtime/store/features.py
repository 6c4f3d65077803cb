"""What the network saw in a film: the mean of every channel of conv5, as int8.

That is 512 bytes for the default network.

Similar films are found by it (similar.py). Films can be compared only where the same network saw them
in the same way, which the fingerprint says.
"""

from dataclasses import dataclass, field, replace

from cxr_runtime.store.rows import FEATURES
from cxr_runtime.store.store import Store

MOST_FEATURES = 1 << 14  # channels of conv5; networks have 256 to 2048


@dataclass(frozen=True)
class StoredFeatures:
    """The features of one row."""

    sha256: str  # of the film
    fingerprint: str  # of what decides its row
    numbers: bytes = field(repr=False)  # as of `FinishedFilm.features`
    is_ours: bool = True  # their seal is right

    @property
    def sealed(self) -> tuple[str, ...]:
        """What their seal is of."""
        return self.sha256, self.fingerprint, self.numbers.hex()


def features_in(store: Store, result: int) -> StoredFeatures | None:
    """The features of a row; None where nothing is kept, or nothing that a scan keeps.

    Raises:
        StoreError: the store cannot be read.
    """
    query = (
        "SELECT sha256, fingerprint, numbers, features.seal FROM features"
        " JOIN results ON results.id = features.result WHERE features.result = ?"
    )
    found = next(store._rows(query, result), None)
    if found is None or not isinstance(found[2], bytes) or not 0 < len(found[2]) <= MOST_FEATURES:
        return None
    features = StoredFeatures(str(found[0]), str(found[1]), found[2])
    is_ours = store._sealer.is_right(found[3], FEATURES, features.sealed)
    return replace(features, is_ours=is_ours)
