"""What a table of CLINIC.toml is made of: settings with a meaning, an example, and a form."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from cxr_runtime.presentation import PREVALENCE_FORM, share_of

_SIZE, _AGE = r"^\s*\d+(\.\d+)?\s*[kmgtKMGT]?(i?[bB])?\s*$", r"^\s*\d{1,5}\s*[dwyDWY]\s*$"
FORMS = {_SIZE: 'a size as "5G" or "500M"', _AGE: 'an age as "90d", "12w" or "2y"'}
Size = Annotated[str, Field(pattern=_SIZE)]
Age = Annotated[str, Field(pattern=_AGE)]


def _share(value: object) -> float | None:
    if value is None:
        return None
    share = share_of(str(value))
    if share is None:
        raise PydanticCustomError("share", "no share")
    return share


Prevalence = Annotated[float | None, BeforeValidator(_share)]

EXPECTED = {  # by pydantic's name of what is wrong
    "bool_type": "true or false",
    "float_type": "a number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "int_type": "a whole number",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
    "model_type": "a table",
    "path_type": "a path in quotes",
    "share": PREVALENCE_FORM,
    "string_type": "a text in quotes",
    "too_short": "at least one entry",
    "tuple_type": 'a list as ["a", "b"]',
}


def setting(about: str, example: Any, **bounds: Any) -> Any:  # Any: what pydantic.Field takes and gives
    """A setting that must be given."""
    return Field(description=about, examples=[example], **bounds)


def choice(default: Any, about: str, example: Any = None, **bounds: Any) -> Any:
    """A setting that may be left out; `example` is shown where the default is none."""
    return Field(default, description=about, examples=[default if example is None else example], **bounds)


class Section(BaseModel):
    """A table of the file; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
