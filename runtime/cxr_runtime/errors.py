"""The one exception tree of the product.

CxrTriageError            exit status 1: could not run
  UsageError              exit status 2: wrong usage, or an input that is not there
  ModelError              the model folder is damaged, foreign or incomplete
    CalibrationError      the calibration is missing or belongs to another model
  BackendError            an inference backend is missing, wrong or broken (two kinds: backends/engine.py)
  InstallationError     a library or a part of the program is missing; no film is to blame
  StoreError              the output folder cannot be written or is in use
    FullDiskError         its disk has no room for what is to be written
  FilmError               this one film ends without a score; the scan goes on
    UnreadableFilmError   status `failed`: the file could not be read
    RejectedFilmError     status `rejected`: readable, but not a film to score
"""

from typing import ClassVar


class CxrTriageError(Exception):
    """Root of every error the product raises on purpose; its text is one line fit for a user."""

    exit_status: ClassVar[int] = 1


class UsageError(CxrTriageError):
    """The command was used wrongly, or an input does not exist."""

    exit_status: ClassVar[int] = 2


class ModelError(CxrTriageError):
    """A model folder cannot be used as it is."""


class CalibrationError(ModelError):
    """A calibration is missing, or was fitted on another model, precision or input route."""


class BackendError(CxrTriageError):
    """An inference backend cannot be used on this machine."""


class InstallationError(CxrTriageError):
    """A library that the program needs is missing or does not load, or its worker processes cannot start."""


def how_to_install(extra: str) -> str:
    """What to type for an extra of ours that is missing, in quotes that every shell takes."""
    return f'run `pip install ".[{extra}]"` in the folder of the program, where pyproject.toml lies'


class StoreError(CxrTriageError):
    """The output folder cannot be written, or another scan holds it."""


class FullDiskError(StoreError):
    """The disk of a store is full."""


class FilmError(CxrTriageError):
    """One film cannot be scored.

    Args:
        code: short kebab-case code, a contract of results.csv, e.g. `truncated`.
        sentence: what was found, what was expected, what to do next; one line.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

    def __reduce__(self) -> tuple[type["FilmError"], tuple[object, ...]]:
        return type(self), (self.code, self.sentence)


class UnreadableFilmError(FilmError):
    """The file is damaged, or of a kind that is not read; the film ends as `failed`."""


class RejectedFilmError(FilmError):
    """The picture was read but must not be scored; the film ends as `rejected`.

    Args:
        code: as of `FilmError`.
        sentence: as of `FilmError`.
        confidence: how sure that is, 0..1.
    """

    def __init__(self, code: str, sentence: str, confidence: float) -> None:
        super().__init__(code, sentence)
        self.confidence = confidence

    def __reduce__(self) -> tuple[type["RejectedFilmError"], tuple[str, str, float]]:
        return type(self), (self.code, self.sentence, self.confidence)
