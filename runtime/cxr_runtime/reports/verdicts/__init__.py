"""The bar with which a reader says what a film is: one script for the server and for worklist.html.

    const bar = new VerdictBar(element, { labels, keys: viewer.keys, canSay, say });
    bar.show({ key, name, verdicts, isDisputed, summary });     // or null: there is no film
    bar.settle();                                         // says what has not been said yet, at once

`say({ key, verdict, findings, note, source })` keeps a verdict and gives a promise of all that stand.
It needs the viewer's script before it. `labels` is `LABELS`, in whatever language.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from cxr_runtime.language import later
from cxr_runtime.store.verdicts import Finding, Source, Verdict

FINDING_WORDS = {
    Finding.TB: later("TB"),
    Finding.OPACITY: later("Opacity"),
    Finding.NODULE: later("Nodule"),
    Finding.EFFUSION: later("Effusion"),
    Finding.PNEUMOTHORAX: later("Pneumothorax"),
    Finding.CARDIOMEGALY: later("Large heart"),
    Finding.DEVICE: later("Device"),
    Finding.OTHER: later("Other"),
}
VERDICT_WORDS = {
    Verdict.NORMAL: later("Normal"),
    Verdict.ABNORMAL: later("Abnormal"),
    Verdict.CANNOT_TELL: later("Cannot tell"),
    Verdict.WITHDRAWN: later("verdict withdrawn"),
}
TEST_WORDS = {
    Verdict.NORMAL: later("negative"),
    Verdict.ABNORMAL: later("positive"),
    Verdict.CANNOT_TELL: later("unclear"),
    Verdict.WITHDRAWN: later("result withdrawn"),
}
SOURCE_WORDS = {Source.SPUTUM: later("Sputum"), Source.GENEXPERT: "GeneXpert", Source.CT: later("CT")}

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "bar": later("What this film is"),
        **{verdict.value: word for verdict, word in VERDICT_WORDS.items()},
        **{finding.value: word for finding, word in FINDING_WORDS.items()},
        **{source.value: word for source, word in SOURCE_WORDS.items()},
        **{f"test-{verdict.value}": word for verdict, word in TEST_WORDS.items()},
        "findings": later("Findings"),
        "findingKeys": later("Findings, in their order"),
        "note": later("Note"),
        "addNote": later("Write a note"),
        "tests": later("Test results"),
        "noTest": later("no result"),
        "withdraw": later("Withdraw"),
        "withdrawMine": later("Withdraw my verdict on this film"),
        "Delete": later("Del"),
        "differ": later("Readers disagree"),
        "blinded": later("said before the score was shown"),
        "elsewhere": later("said on another machine, or changed since"),
        "kept": later("Kept"),
        "notKept": later("Not kept"),
        "wordFirst": later("Not kept yet: choose a word first"),
        "again": later("Try again"),
        "mayNot": later("This account may look, not say."),
        "takeOut": later("Verdicts as CSV"),
    }
)


@cache
def script() -> str:
    """A plain script; what follows it on the page can use `VerdictBar`."""
    return "\n".join((_part("unkept.js"), _part("verdicts.js")))


@cache
def script_without_server() -> str:
    """The same with `KeptHere`, which keeps verdicts in the browser."""
    return "\n".join((script(), _part("kept_here.js")))


@cache
def style() -> str:
    """Its style; every name in it begins with `vb-`."""
    return _part("verdicts.css")


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
