"""Changes that a fuzzer makes to a sound input: the same for the same random numbers."""

import re
import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random

HEADER = 512  # bytes at the start of a file, where half of all changes fall
LONGEST = 256  # bytes that one change inserts, removes or copies
MORE = 0.6  # chance of one more change
_INTEGERS = ("B", "H", "I", "Q")  # of struct: 1, 2, 4 and 8 bytes
_TOKEN = re.compile(rb'-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|"[^"]{0,80}"')
_TOKENS = (
    b"0", b"-1", b"1e308", b"-1e308", b"1e999", b"NaN", b"Infinity", b"4294967296", b"9" * 40, b"0.5",
    b"null", b"true", b"[]", b"{}", b'""', b'"\\u202e\\u0000"', b'"' + b"x" * 300 + b'"', b"[" * 200,
)  # fmt: skip
_PNG = b"\x89PNG\r\n\x1a\n"

Change = Callable[[bytearray, Sequence[bytes], Random], None]


def mutated(seeds: Sequence[bytes], random: Random) -> bytes:
    """One of the seeds, changed at one or a few places.

    Args:
        seeds: sound inputs of one kind.
        random: decides everything.
    """
    content = bytearray(random.choice(seeds))
    random.choice(CHANGES)(content, seeds, random)
    while random.random() < MORE:
        random.choice(CHANGES)(content, seeds, random)
    return bytes(content)


def with_right_sums(content: bytes) -> bytes:
    """A PNG with right checksums again, so that a change in a chunk is looked at; other files stay."""
    if not content.startswith(_PNG):
        return content
    parts, at = [_PNG], len(_PNG)
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        body = content[at + 4 : at + 8 + length]
        parts.append(content[at : at + 4] + body + struct.pack(">I", zlib.crc32(body)))
        at += 12 + length
    return b"".join(parts) + content[at:]


def _place(content: bytearray, random: Random) -> int:
    return random.randrange(min(len(content), HEADER if random.random() < 0.5 else len(content)) or 1)


def _span(content: bytearray, random: Random) -> slice:
    at = _place(content, random)
    return slice(at, at + random.randint(1, LONGEST))


def _flip(content: bytearray, _: Sequence[bytes], random: Random) -> None:
    if content:
        content[_place(content, random)] ^= 1 << random.randrange(8)


def _overwrite(content: bytearray, _: Sequence[bytes], random: Random) -> None:
    if content:
        content[_place(content, random)] = random.choice((0, 1, 127, 128, 254, 255, random.randrange(256)))


def _insert(content: bytearray, _: Sequence[bytes], random: Random) -> None:
    at = _place(content, random)
    content[at:at] = random.randbytes(random.randint(1, LONGEST))


def _remove(content: bytearray, _: Sequence[bytes], random: Random) -> None:
    del content[_span(content, random)]


def _repeat(content: bytearray, _: Sequence[bytes], random: Random) -> None:
    span = _span(content, random)
    content[span.start : span.start] = content[span] * random.choice((1, 2, 50))


def _blank(content: bytearray, _: Sequence[bytes], random: Random) -> None:
    span = _span(content, random)
    content[span] = bytes([random.choice((0, 255))]) * len(content[span])


def _cut(content: bytearray, _: Sequence[bytes], random: Random) -> None:
    del content[_place(content, random) :]


def _splice(content: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    """From some place on it is another seed, or a piece of another seed lies in it."""
    other = bytearray(random.choice(seeds))
    if random.random() < 0.5:
        content[_place(content, random) :] = other[_place(other, random) :]
    else:
        content[_span(content, random)] = other[_span(other, random)]


def _extreme(content: bytearray, _: Sequence[bytes], random: Random) -> None:
    """A length or size, as whatever integer may stand there, becomes an extreme one or nearly so."""
    kind = random.choice(_INTEGERS)
    bits = 8 * struct.calcsize(kind)
    near = random.choice((0, 1 << (bits - 1), (1 << bits) - 1, 1 << (bits // 2), len(content)))
    value = (near + random.choice((-1, 0, 0, 1, 2))) % (1 << bits)
    packed, at = struct.pack(random.choice("<>") + kind, value), _place(content, random)
    content[at : at + len(packed)] = packed


def _retype(content: bytearray, _: Sequence[bytes], random: Random) -> None:
    """A number or word of a text becomes one that nobody expects there."""
    found = list(_TOKEN.finditer(content[: 1 << 16]))
    if found:
        token = random.choice(found)
        content[token.start() : token.end()] = random.choice(_TOKENS)


CHANGES: tuple[Change, ...] = (
    _flip, _flip, _overwrite, _overwrite, _extreme, _extreme, _extreme, _insert, _remove, _repeat, _blank,
    _cut, _splice, _retype,
)  # fmt: skip
