"""What a scan or a service did, line by line, for whoever looks after the machine.

A line can hold no name of a file, no text of a film and no sentence: only what happened, numbers, and words
of our own. A film is named by the first digits of its sha256, as its pictures are.
"""

import io
import json
import logging
import os
import re
import sys
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Self, TextIO

from cxr_runtime.access import PRIVATE
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.names import SHA_DIGITS
from cxr_runtime.outcome import Outcome

LOG_BYTES = 10_000_000  # of one file
LOG_FILES = 5  # earlier ones, FILE.1 to FILE.5
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")  # of our own: a code, a status


class LogFormat(StrEnum):
    """How a line is written."""

    TEXT = "text"
    JSON = "json"  # one object a line


class Journal:
    """Writes lines to a log file, to standard error, to both or to neither."""

    def __init__(self, handlers: Iterable[logging.Handler] = ()) -> None:
        self._log = logging.Logger("cxr-triage", logging.INFO)
        for handler in handlers:
            self._log.addHandler(handler)

    @classmethod
    def open(cls, file: Path | None, log_format: LogFormat, screen: TextIO | None) -> "Journal":
        """Begin to write.

        Args:
            file: of the log, which is gone on with; None: none is written.
            log_format: of its lines.
            screen: also shows the lines, as text; None: nothing does.

        Raises:
            CxrTriageError: the file cannot be written.
        """
        handlers: list[logging.Handler] = []
        if file is not None:
            try:
                written = _PrivateFile(file, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
            except OSError as error:
                raise CxrTriageError(
                    f"the log {file} cannot be written ({error.strerror}); give --log-file a file in a "
                    "folder that can be written"
                ) from error
            written.setFormatter(_Json() if log_format is LogFormat.JSON else _Text())
            handlers.append(written)
        if screen is not None:
            shown = logging.StreamHandler(screen)
            shown.setFormatter(_Text())
            handlers.append(shown)
        return cls(handlers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def note(self, event: str, **facts: float | str) -> None:
        """Write a line.

        Args:
            event: a word for what happened, e.g. `folder-away`.
            facts: numbers, and words of our own; whatever else there is becomes `?`.
        """
        if not self._log.handlers:
            return
        safe = {name: _safe(value) for name, value in facts.items()}
        self._log.info(_safe(event), extra={"facts": safe})

    def film(self, outcome: Outcome, **facts: float | str) -> None:
        """A film is done; neither its name nor its score is written."""
        code = {"code": outcome.code} if outcome.code else {}
        seconds = {} if outcome.seconds is None else {"seconds": round(outcome.seconds, 3)}
        digits = outcome.sha256[:SHA_DIGITS] or "none"
        self.note("film", sha256=digits, status=outcome.status.value, **code, **seconds, **facts)

    def close(self) -> None:
        """Close the file."""
        for handler in self._log.handlers:
            handler.close()


class _PrivateFile(RotatingFileHandler):
    """A log that only its owner may read; films are scored also when it cannot be written."""

    def _open(self) -> io.TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE.file_mode)
        return io.TextIOWrapper(os.fdopen(descriptor, "ab"), encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = getattr(record, "facts", {})
        return " ".join([_time(record), record.msg, *(f"{name}={value}" for name, value in facts.items())])


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"time": _time(record), "event": record.msg, **getattr(record, "facts", {})})


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="seconds")


def _safe(value: float | str) -> float | str:
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) else "?"
    return value
