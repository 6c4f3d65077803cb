"""The protobuf wire format, as far as an ONNX file needs it: the base install has no `onnx` package.

Source: protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # wire types; the two group types are not used by ONNX
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}

Field = tuple[int, int, int, memoryview]  # field number, wire type, value of a varint, content of the others


def fields(message: memoryview) -> Iterator[Field]:
    """Every field of a message, in the order of the file; contents are views, nothing is copied.

    Raises:
        ValueError: the bytes are no protobuf message.
    """
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, at = _read_varint(message, at)
            yield number, wire_type, value, message[:0]
            continue
        if wire_type == LENGTH:
            size, at = _read_varint(message, at)
        elif wire_type in _FIXED_BYTES:
            size = _FIXED_BYTES[wire_type]
        else:
            raise ValueError(f"wire type {wire_type} at byte {at}; expected 0, 1, 2 or 5")
        if at + size > len(message):
            raise ValueError(f"field {number} at byte {at} reaches beyond the end of its message")
        yield number, wire_type, 0, message[at : at + size]
        at += size


def packed_varints(content: memoryview) -> Iterator[int]:
    """The integers of a packed field."""
    at = 0
    while at < len(content):
        value, at = _read_varint(content, at)
        yield value


def varint_field(number: int, value: int) -> bytes:
    """One integer field; negative values as two's complement of 64 bits."""
    return _varint(number << 3 | VARINT) + _varint(value & (1 << 64) - 1)


def length_field(number: int, *parts: bytes | memoryview) -> list[bytes | memoryview]:
    """One field of bytes, text or a message, given in parts that are not copied."""
    return [_varint(number << 3 | LENGTH) + _varint(sum(len(part) for part in parts)), *parts]


def raw_field(field: Field) -> list[bytes | memoryview]:
    """A field as it was read."""
    number, wire_type, value, content = field
    if wire_type == VARINT:
        return [varint_field(number, value)]
    if wire_type == LENGTH:
        return length_field(number, content)
    return [_varint(number << 3 | wire_type), content]


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError(f"a varint at byte {at} has no end")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
