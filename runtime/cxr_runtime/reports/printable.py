"""Text from outside (file names, messages) made fit to show on one line: the unseen is spelt out."""

import re

# Controls, lone surrogates (bytes of a name that are no text), line and paragraph separators, and the marks
# that turn the direction of text, by which `fdp.exe` can be shown as `exe.pdf` (Unicode UAX #9, 2.1 to 2.4).
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def printable(text: str) -> str:
    """One line of valid Unicode; every character that cannot be shown becomes its `\\xNN` or `\\uNNNN`."""
    return _UNSEEN.sub(lambda found: escaped(found[0]), text)


def escaped(character: str) -> str:
    """A character's code: `\\x0a`, `\\u202e`, `\\U0001f600`."""
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
