import itertools

import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.sources.part import Part

FILES = [f"night/{number}.png" for number in range(1000)]


def test_every_film_is_in_one_part_and_the_parts_are_about_as_large() -> None:
    parts = [[file for file in FILES if Part(number, 4).has(file)] for number in (1, 2, 3, 4)]
    assert sorted(itertools.chain(*parts)) == sorted(FILES)
    assert all(200 < len(part) < 300 for part in parts)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/2/3"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected e\.g\. 2/8"):
        Part.parse(text)
