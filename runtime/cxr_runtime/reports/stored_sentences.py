"""Sentences that the store keeps in English, such as reasons, in the language of a page.

Results and runs are stored in English, whoever reads them later; so is results.csv. A catalogue has the parts
of these sentences as the program writes them, with `{0}`, `{1}` for what was filled in. A stored sentence is
taken apart by them again; what no part of the catalogue fits stays as it is.
"""

import re
from datetime import datetime
from functools import cache, lru_cache

from cxr_runtime.language import ENGLISH, Language, _, day, later, spoken, written

_CONFIDENCE = re.compile(r"(.*) \(confidence ([\d.]+)%\)", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PLACE = re.compile(r"\{\d\}")
_ALSO = ". Also: "
# Words that stand in sentences, each alone.
WORDS = (
    later("flat"), later("black"), later("white"), later("text"), later("{0} years"), later("{0} months"),
    later("{0} month"),
)  # fmt: skip
_MOST_KEPT = 4096  # sentences whose translation is remembered: those of a night repeat themselves


def translated(sentence: str) -> str:
    """A stored sentence in the language of this moment."""
    language, bare = spoken(), sentence.strip()
    if language == ENGLISH or not bare:
        return sentence
    before, _bare, after = sentence.partition(bare)
    return f"{before}{_translated(language, bare)}{after}"


@lru_cache(_MOST_KEPT)
def _translated(language: Language, sentence: str) -> str:
    whole = language.translations.gettext(sentence)
    if whole != sentence:
        return whole
    if _ALSO in sentence:
        first, more = sentence.split(_ALSO, 1)
        return _("{first}. Also: {more}", first=translated(first), more=translated(more))
    if "; " in sentence:
        # Translators: stands between the parts of a sentence.
        return _("; ").join(translated(part) for part in sentence.split("; "))
    if sure := _CONFIDENCE.fullmatch(sentence):
        return _("{found} (confidence {share}%)", found=translated(sure[1]), share=written(sure[2]))
    for pattern, template in _patterns(language):
        if found := pattern.fullmatch(sentence):
            return _of_parts(language.translations.gettext(template), sentence, found.groups())
    return sentence


def _of_parts(template: str, sentence: str, parts: tuple[str, ...]) -> str:
    try:
        return template.format(*map(_filled_in, parts))
    except (LookupError, ValueError, AttributeError):  # a place holder that the English sentence has not
        return sentence


def _filled_in(part: str) -> str:
    if _DATE.fullmatch(part):
        return day(datetime.fromisoformat(part))
    if _NUMBER.fullmatch(part):
        return written(part)
    if share := _PERCENT.fullmatch(part):
        return _("{number}%", number=written(share[1]))
    return translated(part)


@cache
def _patterns(language: Language) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Sentences of the catalogue with something filled in, those that say most first."""
    templates = [sentence for sentence in language.sentences if "{0}" in sentence]
    templates.sort(key=lambda template: len(_PLACE.sub("", template)), reverse=True)
    return tuple((re.compile(_pattern(template), re.DOTALL), template) for template in templates)


def _pattern(template: str) -> str:
    return "(.*?)".join(re.escape(piece) for piece in _PLACE.split(template))
