"""What the table `written` says of the files in heatmaps/: how each was written, and which could not be.

One note under the folder's own name vouches for all of them at once, by a digest; it is made only where each
of them bears a right seal of its own. Where the digest is another one, the seals are checked one by one.
"""

from collections.abc import Iterable

from cxr_runtime.files import HEATMAPS_FOLDER
from cxr_runtime.seals import rows_digest
from cxr_runtime.store.rows import PICTURE, WRITTEN
from cxr_runtime.store.sqlite import transaction
from cxr_runtime.store.writer import StoreWriter, blocks_of

_NOTES = "SELECT name, content, stamp, seal FROM written WHERE content = ? ORDER BY name"


class PictureNotes:
    """The notes on pictures of one store.

    Args:
        store: whose.
    """

    def __init__(self, store: StoreWriter) -> None:
        self._store = store

    def stamps(self) -> dict[str, str]:
        """Stamps of the pictures as they were last written, by name; forged notes are left out."""
        rows = list(self._store._rows(_NOTES, PICTURE))
        is_whole = self._store.written(HEATMAPS_FOLDER) == (rows_digest(rows), "")
        is_right = self._store._sealer.is_right
        return {
            name: stamp
            for name, content, stamp, seal in rows
            if is_whole or is_right(seal, WRITTEN, (name, content, stamp))
        }

    def owed(self) -> frozenset[str]:
        """Files of the folder that an earlier run could not write."""
        owed = self._store._rows("SELECT name FROM written WHERE content = ''")
        return frozenset(str(name) for (name,) in owed)

    def note(self, files: Iterable[tuple[str, str]], gone: Iterable[str], owed: Iterable[str]) -> None:
        """Note how pictures stand now.

        Args:
            files: those that were drawn again, name and stamp.
            gone: names of those that are there no more.
            owed: names of those that could not be written; all others were.

        Raises:
            StoreError: the disk is full.

        What is owed comes first. A process that is killed later has noted too little: then a picture is drawn
        again. Others may write while seals are checked, which takes long: what they change gives another
        digest.
        """
        store = self._store
        with transaction(store._db, store.name):
            store._db.execute("DELETE FROM written WHERE content = ''")
            command = "INSERT OR REPLACE INTO written (name, content, stamp) VALUES (?, '', '')"
            store._db.executemany(command, ((name,) for name in owed))
        for drawn in blocks_of(files):
            with transaction(store._db, store.name):
                store._note(PICTURE, drawn)
        for names in blocks_of(gone):
            with transaction(store._db, store.name):
                store._db.executemany("DELETE FROM written WHERE name = ?", ((name,) for name in names))
        rows = list(store._rows(_NOTES, PICTURE))
        content, stamp = rows_digest(rows), ""
        if store.written(HEATMAPS_FOLDER) != (content, stamp) and all(map(self._is_right, rows)):
            store.note_written(HEATMAPS_FOLDER, content, stamp)

    def _is_right(self, row: tuple[str, str, str, str]) -> bool:
        return self._store._sealer.is_right(row[3], WRITTEN, row[:3])
