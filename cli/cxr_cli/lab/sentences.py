"""Every sentence of the program that a catalogue can translate, gathered from its sources and its help."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNTIME = "runtime/cxr_runtime"
CALIBRATION = "calibration/cxr_calibration"
KEYWORDS: dict[str, Any] = {"_": None, "later": None, "gettext": None, "plural": (1, 2)}
EXTRACTED = {  # files of the runtime, and how Babel reads them
    "**.html": "jinja2",
    "**.js": "javascript",
    "**.py": "python",
}
# Files whose sentences are stored in English, and translated when shown (reports/stored_sentences.py).
STORED = {
    RUNTIME: (
    "reading/**/*.py", "gate/admission.py", "gate/network.py", "gate/reasons.py", "gate/visibility.py",
    "workers/opened.py", "workers/opener.py", "workers/pool.py", "workers/worker.py",
    "sources/archives.py", "sources/disk.py", "sources/film_source.py", "sources/looking.py",
    "model/likeness.py", "model/origin.py", "reports/again.py", "scanning/study.py",
    ),
    CALIBRATION: (
        "monitoring/checks.py", "monitoring/drift_report.py", "monitoring/nights.py", "fit/rules.py",
        "fit/subgroups.py", "labels/labelled_films.py",
    ),
}  # fmt: skip
LABELS = ("reports/viewer/labels.py",)  # files all of whose texts are shown
# What stands in these files and is no sentence of a row or a run.
NO_REASON = re.compile(
    r"(no (answer|code|copy|digest|DIR|facts|failure|JSON|model at|name|scan|sentence|sha256|size|texts)|"
    r"a name that was|another number of|it does not have|it has|not an|JPEG (2000 Part|XL)|MPEG|End of|"
    r"\w+ \| None|premature|expected (1|a folder)|make one|scan into|DICOM results are|\(none|"
    r"\{0\} (has no|cannot be read)|Rule \||SensitivityAtLeast|operating point \{0\} is|"
    r"expected (\{0\}, cap|one len|nights)|none of \{0\} labelled|correct the paths|margins, truth|"
    r"\{0\} \(line|give (each film|films)|the baseline has|there is no film at).*|"
    r".*(import |load\(|model_sha256|manifest|class names|precision|of the logits|calibration \{0\}|"
    r"model folder|preprocessing|--format|backup|cxr-triage export|holds a scan|output folders|new folder|"
    r"architecture|calibrate here).*"
)
COMMANDS = (
    "scan", "watch", "listen", "appliance", "serve", "send", "calibrate", "monitor", "models", "doctor",
    "benchmark", "report", "backup", "restore", "merge", "prune", "user", "audit", "service",
    "tally", "settings",
)  # fmt: skip


@dataclass(frozen=True)
class Sentence:
    """One entry of a catalogue."""

    text: str | tuple[str, str]  # two of them: of one thing, and of many
    place: str  # file that says it, or `help`
    comments: tuple[str, ...] = ()  # for translators


def sentences(root: Path) -> Iterator[Sentence]:
    """All of them, some more than once.

    Args:
        root: of a checkout.

    Raises:
        ImportError: Babel is not installed.
    """
    yield from marked_sentences(root / RUNTIME)
    yield from marked_sentences(root / CALIBRATION)
    for path in LABELS:
        yield from (Sentence(text, path) for text in _label_texts(root / RUNTIME / path))
    for package, files in STORED.items():
        yield from (Sentence(text, path) for text, path in stored_sentences(root / package, files))
    yield from (Sentence(text, "help") for text in help_texts())


def marked_sentences(package: Path) -> Iterator[Sentence]:
    """Those that stand in `_("...")`, `later("...")` or `plural("...", "...", n)`."""
    from babel.messages.extract import extract_from_dir

    found = extract_from_dir(
        str(package), list(EXTRACTED.items()), keywords=KEYWORDS, comment_tags=("Translators:",),
        strip_comment_tags=True,
    )  # fmt: skip
    for file, _line, text, comments, _context in sorted(found, key=lambda message: message[:2]):
        one_or_two = text if isinstance(text, str) else (text[0], text[1])
        yield Sentence(one_or_two, file, tuple(comments))


def _label_texts(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Dict):
            for value in node.values:
                if isinstance(value, ast.Constant) and _is_sentence(str(value.value), least=1):
                    yield str(value.value)


def stored_sentences(package: Path, files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The parts of reasons and remarks, `{0}`, `{1}` for what is filled in, each with its file."""
    for pattern in files:
        for file in sorted(package.glob(pattern)):
            for text in _texts(ast.parse(file.read_text(encoding="utf-8"))):
                for part in text.split("; "):
                    if _is_sentence(part, least=2) and not NO_REASON.fullmatch(part):
                        yield _renumbered(part.strip()), file.relative_to(package).as_posix()


def _texts(tree: ast.AST) -> Iterator[str]:
    """Every text of a source that is shown to somebody, an f-string with `{0}` for each of its values."""
    unseen = {id(part) for node in ast.walk(tree) for part in _not_texts(node)}
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{0}" for part in node.values)
            yield "".join(parts)


def _not_texts(node: ast.AST) -> list[ast.expr]:
    """What of a node is no text of its own: docstrings, and the parts of an f-string."""
    match node:
        case ast.Expr(value=ast.Constant() as docstring):
            return [docstring]
        case ast.JoinedStr(values=parts):
            return parts
        case ast.FormattedValue(format_spec=ast.JoinedStr() as form):
            return [form]
        case _:
            return []


def _renumbered(template: str) -> str:
    """`{0} of {0}` becomes `{0} of {1}`."""
    pieces = template.split("{0}")
    return "".join(piece if place == 0 else f"{{{place - 1}}}{piece}" for place, piece in enumerate(pieces))


def _is_sentence(text: str, least: int) -> bool:
    """Whether a text has at least so many words, and is not a list of names."""
    words = re.findall(r"[A-Za-z]{2,}", text.replace("{0}", ""))
    return len(words) >= least and (least == 1 or " " in text.strip()) and not text.isupper()


def help_texts() -> Iterator[str]:
    """What `--help` says of the clinic's commands; their panels and the words around options, too."""
    import typer

    from cxr_cli.commands import app

    yield from (
        "Clinic",
        "Store",
        "Laboratory",
        "Arguments",
        "Options",
        "Commands",
        "[default: {}]",
        "[required]",
    )
    yield from ("Show this message and exit.", "(dynamic)")
    root: Any = typer.main.get_command(app)
    yield from _of_command(root)
    for name, command in root.commands.items():
        if name in COMMANDS:
            yield from _of_command(command)
            for inner in getattr(command, "commands", {}).values():
                yield from _of_command(inner)


def _of_command(command: Any) -> Iterator[str]:
    yield from (part.strip() for part in (command.help or "").split("\n\n") if part.strip())
    for parameter in command.params:
        for text in (getattr(parameter, "help", None), getattr(parameter, "show_default", None)):
            if isinstance(text, str) and text:
                yield text
