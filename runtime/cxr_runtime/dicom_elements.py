"""Elements of DICOM data sets as bytes, and the start of a file that holds one (PS3.5 7, PS3.10 7.1)."""

from dataclasses import dataclass

MANUFACTURER = "cxr-triage"  # in the tags of all that this product makes of a film
PREAMBLE, PREFIX = 128, b"DICM"  # bytes before the prefix, some files lack them (PS3.10 7.1)
_LONG = frozenset(("OB", "OW", "SQ", "UN"))  # in explicit VR their lengths have 32 bits (PS3.5 7.1.2)
_IMPLEMENTATION = "2.25.92233627242927383639715666297642739739"  # Implementation Class UID; drawn once


@dataclass(frozen=True)
class Encoding:
    """How the elements of a data set are written (PS3.5 annex A)."""

    implicit: bool  # without VRs
    little: bool  # endian

    def element(self, tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
        """An element.

        Args:
            tag: group and element number.
            vr: two letters.
            value: its bytes, in this encoding; one is added to an odd number.
            length: None: that of the value; else what is stated, and the value follows elsewhere.
        """
        value += (b"\0" if vr in {"UI", *_LONG} else b" ") * (len(value) % 2)
        stated = self.number(len(value) if length is None else length, 2 if self._is_short(vr) else 4)
        kind = b"" if self.implicit else vr.encode() + (b"\0\0" if vr in _LONG else b"")
        return self.tag(tag) + kind + stated + value

    def item(self, content: bytes) -> bytes:
        """An item of a sequence (PS3.5 7.5)."""
        return self.tag(0xFFFEE000) + self.number(len(content), 4) + content

    def tag(self, tag: int) -> bytes:
        """Group and element number."""
        return self.number(tag >> 16, 2) + self.number(tag & 0xFFFF, 2)

    def number(self, number: int, size: int) -> bytes:
        """An unsigned number of so many bytes."""
        return number.to_bytes(size, "little" if self.little else "big")

    def _is_short(self, vr: str) -> bool:
        return not self.implicit and vr not in _LONG


def file_start(sop_class: str, sop_instance: str, syntax: str) -> bytes:
    """Preamble, prefix and file meta information of a data set (PS3.10 7.1), always the same bytes.

    The names of library and sender are left out: the same film from elsewhere is then the same file.

    Args:
        sop_class: UID of its SOP class.
        sop_instance: its SOP Instance UID, as the sender wrote it.
        syntax: UID of the transfer syntax in which it is written.
    """
    meta = Encoding(implicit=False, little=True)
    uids = ((0x02, sop_class), (0x03, sop_instance), (0x10, syntax), (0x12, _IMPLEMENTATION))
    elements = meta.element(0x00020001, "OB", b"\0\1") + b"".join(
        meta.element(0x00020000 + at, "UI", uid.encode("ascii", "replace")) for at, uid in uids
    )
    length = meta.element(0x00020000, "UL", len(elements).to_bytes(4, "little"))
    return bytes(PREAMBLE) + PREFIX + length + elements
