"""In which language pages speak: gettext catalogues, and how numbers and dates are written in each.

A sentence stands in English where it is said, as `_("page {page}", page=2)`; a catalogue may have it in
another language, and what it lacks stays English. How numbers and dates are written, and the direction of the
text, are entries of the catalogue like any other, so that anybody's catalogue brings its own.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from cxr_runtime.errors import UsageError
from cxr_runtime.folders import data_root

DOMAIN, FOLDER = "cxr-triage", "languages"
SOURCE = "en"  # of the sentences in the program
MOST_BYTES = 1 << 23  # of a catalogue
_DAMAGED = (OSError, ValueError, LookupError, TypeError, struct.error)

RIGHT_TO_LEFT = "rtl"


@dataclass(frozen=True)
class Language:
    """A language that pages can be in."""

    code: str  # as HTML and PDF name it (BCP 47), e.g. `fr`
    translations: NullTranslations = field(default_factory=NullTranslations, repr=False)

    @property
    def is_right_to_left(self) -> bool:
        """Whether its lines begin on the right."""
        return self.direction == RIGHT_TO_LEFT

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, as HTML has it."""
        # Translators: the direction in which the language is written: ltr or rtl.
        return RIGHT_TO_LEFT if self.translations.gettext("ltr") == RIGHT_TO_LEFT else "ltr"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The English sentences that its catalogue has."""
        catalogue = getattr(self.translations, "_catalog", {})
        return tuple(key for key in catalogue if isinstance(key, str) and key)


ENGLISH = Language(SOURCE)
_spoken: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def spoken() -> Language:
    """The language of this moment."""
    return _spoken.get()


@contextmanager
def speaking(language: Language) -> Iterator[Language]:
    """Speak a language within; threads that are begun there speak their own."""
    before = _spoken.set(language)
    try:
        yield language
    finally:
        _spoken.reset(before)


def later(message: str) -> str:
    """A sentence that is translated where it is used, not where it stands."""
    return message


def _(message: str, **values: object) -> str:
    """A sentence in the language of this moment, its `{place holders}` filled in."""
    return _filled(_spoken.get().translations.gettext(message), message, values)


def plural(one: str, many: str, count: int, **values: object) -> str:
    """As `_`, of a number of things; `{count}` stands for it."""
    found = _spoken.get().translations.ngettext(one, many, count)
    return _filled(found, one if count == 1 else many, {"count": number(count), **values})


def counted(count: int, thing: str = "film", things: str = "") -> str:
    """A number of things in English, as commands, logs and errors say it: 1 film, 2 films, 1,204 entries."""
    return f"1 {thing}" if count == 1 else f"{count:,} {things or thing + 's'}"


def _filled(found: str, message: str, values: dict[str, object]) -> str:
    if not values:
        return found
    try:
        return found.format(**values)
    except (LookupError, ValueError, AttributeError):  # a place holder that the English sentence has not
        return message.format(**values)


def number(value: float, decimals: int = 0) -> str:
    """A number as the language writes it, e.g. 1,234.5."""
    return written(f"{value:,.{decimals}f}")


def written(english: str) -> str:
    """A number that is written in English, e.g. 1,234.5 or 1.2e-05, as the language writes it."""
    # Translators: write this number as your language does, digits as they are: 1 234,5 or 1.234,5.
    form = _("1,234.5")
    if form == "1,234.5" or len(form) != len("1,234.5"):
        return english
    return english.translate({ord(","): form[1], ord("."): form[-2]})


def percent(share: float) -> str:
    """A share of 0..1 in whole per cent."""
    return _("{number}%", number=number(100 * share, 0))


def day(moment: datetime) -> str:
    """A date, e.g. 2026-11-23."""
    # Translators: the order and the marks in which your language writes a date in digits.
    year, month, day_of_month = moment.strftime("%Y %m %d").split()
    return _("{year}-{month}-{day}", year=year, month=month, day=day_of_month)


def language(name: str) -> Language:
    """The language of that name.

    Args:
        name: of a catalogue that came with the program, or lies in the folder `languages` with the user's
            data, e.g. `fr` or `fr-CA`; or a file that `msgfmt` made, which ends with `.mo`.

    Raises:
        UsageError: there is no such catalogue, or it cannot be read.
    """
    for code, path in _places(name):
        if path.is_file():
            try:
                return Language(code, _read(path))
            except _DAMAGED as error:
                raise UsageError(
                    f"the catalogue {path} cannot be read ({error}); expected one that `msgfmt` made"
                ) from error
    if name.partition("-")[0].partition("_")[0].lower() == SOURCE:
        return ENGLISH
    raise UsageError(
        f"there is no language {name}; expected one of {', '.join(languages())}, or a catalogue NAME.mo: "
        "docs/languages.md says how to make one"
    )


def language_or_english(name: str) -> Language:
    """As `language`; English where there is none of that name here."""
    try:
        return language(name)
    except UsageError:
        return ENGLISH


def languages() -> tuple[str, ...]:
    """The names of all languages that pages can be in."""
    found = {path.parents[1].name for root in _roots() for path in root.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")}
    return tuple(sorted({SOURCE, *found}))


def bundled_catalogues() -> Path:
    """The folder of the catalogues that came with the program."""
    return Path(__file__).parent / FOLDER


def _roots() -> Iterator[Path]:
    yield bundled_catalogues()
    own = data_root()
    if own is not None:
        yield own / FOLDER


def _places(name: str) -> Iterator[tuple[str, Path]]:
    """Where a catalogue may lie, the nearest first, each with the language's code."""
    if name.endswith(".mo"):
        yield Path(name).stem.replace("_", "-"), Path(name)
        return
    parts = name.replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        code = "-".join(parts[:length])
        if code.isascii() and code.replace("-", "").isalnum():
            for root in _roots():
                yield name.replace("_", "-"), root / code / "LC_MESSAGES" / f"{DOMAIN}.mo"


@cache
def _read(path: Path) -> GNUTranslations:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES >> 20} MiB")
    with path.open("rb") as file:
        return GNUTranslations(file)
