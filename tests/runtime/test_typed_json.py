from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pytest

from cxr_runtime.typed_json import from_json, to_json


class Colour(StrEnum):
    JET = "jet"


@dataclass(frozen=True)
class Inner:
    at: tuple[float, float]


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    colour: Colour = Colour.JET
    share: float | None = None

    def __post_init__(self) -> None:
        if self.name == "forbidden":
            raise ValueError("this name is forbidden")


def test_what_is_written_is_read_back_as_the_same_types() -> None:
    value = Outer("a", Inner((0.5, 2.0)), share=0.25)
    assert from_json(to_json(value), Outer) == value


def test_fields_that_are_not_known_are_left_out() -> None:
    assert from_json('{"name": "a", "inner": {"at": [1, 2]}, "new": 3}', Outer).inner.at == (1.0, 2.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"name": "a"}', "inner is missing"),
        ('{"name": 3, "inner": {"at": [1, 2]}}', "name is '3', should be a valid string"),
        ('{"name": "a", "inner": {"at": [1, "2"]}}', "inner.at.1 is '2', should be a valid number"),
        ('{"name": "a", "inner": {"at": [1, 2]}, "share": NaN}', "it holds NaN; expected finite numbers"),
        ('{"name": "a", "inner": {"at": [1, 1e999]}}', "it holds 1e999; expected finite numbers"),
        ('{"name": "forbidden", "inner": {"at": [1, 2]}}', "this name is forbidden"),
        ("[", "Expecting value"),
    ],
)
def test_anything_else_is_refused_in_one_line(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        from_json(text, Outer)
    assert "\n" not in str(caught.value)


def test_arrays_become_lists() -> None:
    assert to_json({"a": np.array([1.5, 2.5])}) == '{\n "a": [\n  1.5,\n  2.5\n ]\n}\n'


def test_a_number_that_is_not_finite_is_refused_or_null() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"a": float("nan")})
    assert to_json({"a": float("nan")}, unknown_as_null=True) == '{\n "a": null\n}\n'


def test_json_without_a_bottom_is_refused() -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        from_json("[" * 100_000, list[int])
