"""Text from outside (file names, messages) made fit to show on one line: the unseen is spelt out."""

import re

# Controls, lone surrogates (bytes of a name that are no text), line and paragraph separators, and the marks
# that turn the direction of text, by which `fdp.exe` can be shown as `exe.pdf` (Unicode UAX #9, 2.1 to 2.4).
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def printable(text: str) -> str:
    """One line of valid Unicode; every character that cannot be shown becomes its `\\xNN` or `\\uNNNN`."""
    return _UNSEEN.sub(lambda found: escaped(found[0]), text)


def escaped(character: str) -> str:
    """A code: `\\x0a`, `\\u202e`, `\\U0001f600`; of a byte that is no text (PEP 383), the byte itself."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
