"""Deflated DICOM data sets (PS3.5 annex A.5), judged before they are inflated into memory."""

import zlib

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading.failure import damaged, truncated

DEFLATED = b"1.2.840.10008.1.2.1.99"
META_START = 132  # bytes of preamble and prefix; then comes the group length of the file meta information
META_VALUES = META_START + 12  # where the group length begins to count
MAX_BYTES = 1 << 30  # of the inflated data set, as of any file
CHUNK = 1 << 24  # bytes inflated at a time


def check_inflated(content: bytes) -> None:
    """Check that a data set, if it is deflated, is whole and not out of all proportion.

    Raises:
        UnreadableFilmError: `truncated`, `damaged` or `too-large`.
    """
    if DEFLATED not in content[: META_VALUES + 1024]:
        return
    length = int.from_bytes(content[META_VALUES - 4 : META_VALUES], "little")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    pending, size = content[META_VALUES + length :], 0
    while not inflater.eof and size <= MAX_BYTES:
        try:
            inflated = inflater.decompress(pending, CHUNK)
        except zlib.error as error:
            raise damaged("its deflated data set cannot be inflated") from error
        if not inflated:
            raise truncated("its deflated data set is not whole")
        size, pending = size + len(inflated), inflater.unconsumed_tail
    if size > MAX_BYTES:
        raise UnreadableFilmError(
            "too-large", f"it inflates to more than {MAX_BYTES >> 20} MiB; export the film uncompressed"
        )
