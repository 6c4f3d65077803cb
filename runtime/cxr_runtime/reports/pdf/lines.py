"""How a text is broken into lines or cut in its middle, and which texts need shaping."""

from collections.abc import Callable, Iterator, Sequence

FIRST_JOINED, LAST_JOINED = 0x0590, 0x18AF  # Hebrew .. Mongolian: scripts whose letters join, stack or turn


def is_joined(text: str) -> bool:
    """Whether a text has letters that join, stack or turn."""
    return not text.isascii() and any(FIRST_JOINED <= ord(character) <= LAST_JOINED for character in text)


def broken(text: str, width: float, width_of: Callable[[str], float]) -> list[str]:
    """The lines of a paragraph, each as many words as fit, in the order in which they are read.

    Args:
        text: one paragraph.
        width: of a line.
        width_of: of a word, in the same unit; the words of a line and the spaces between them add up.
    """
    lines, line, taken = list[str](), list[str](), 0.0
    space = width_of(" ")
    for word in _pieces(text.split(" "), width, width_of):
        wide = width_of(word)
        if line and taken + space + wide > width:
            lines.append(" ".join(line))
            line, taken = [], 0.0
        taken += wide + (space if line else 0.0)
        line.append(word)
    return [*lines, " ".join(line)]


def _pieces(words: list[str], width: float, width_of: Callable[[str], float]) -> Iterator[str]:
    """The words; one that is longer than a line comes in pieces."""
    for word in words:
        rest = word
        while width_of(rest) > width and len(rest) > 1:
            fitting = len(rest) - 1
            while fitting > 1 and width_of(rest[:fitting]) > width:
                fitting -= 1 + fitting // 20
            yield rest[:fitting]
            rest = rest[fitting:]
        yield rest


def shortened(text: str, width: float, width_of: Callable[[str], float]) -> str:
    """A text, cut in its middle where it is wider than a line."""
    if width_of(text) <= width:
        return text
    kept = len(text)
    while kept > 2 and width_of(without_middle(text, kept)) > width:
        kept -= 1 + kept // 40
    return without_middle(text, kept)


def packed(facts: Sequence[str], between: str, width: float, width_of: Callable[[str], float]) -> list[str]:
    """The lines of some facts. Each is whole: half a date or half a number reads as another one.

    Args:
        facts: e.g. a name, a number, a date of birth; one that is longer than a line goes on in the next.
        between: what stands between facts that share a line.
        width: of a line.
        width_of: of a text, in the same unit.
    """
    lines = list[str]()
    for fact in facts:
        shared = between.join((*lines[-1:], fact))
        if lines and width_of(shared) <= width:
            lines[-1] = shared
        else:
            lines += broken(fact, width, width_of)
    return lines


def without_middle(text: str, kept: int) -> str:
    """The first and last characters of a text, `kept` of them, and an ellipsis between them."""
    return f"{text[: kept - kept // 2]}\u2026{text[len(text) - kept // 2 :]}"
