"""What a template is given stays text, and what it is not given stops the page."""

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from cxr_runtime.reports.templates import templates

PAGES = templates("cxr_runtime.reports")


def filled(source: str, **values: object) -> str:
    return PAGES.from_string(source).render(**values)


def test_a_value_is_escaped_in_text_and_in_attributes() -> None:
    assert filled('<p title="{{ name }}">', name='"><b>') == '<p title="&#34;&gt;&lt;b&gt;">'


def test_a_character_that_cannot_be_shown_is_spelt_out() -> None:
    assert filled("{{ name }}", name="a\u202eb\n\udcff") == r"a\u202eb\x0a\xff"


def test_markup_of_our_own_stands_as_it_is() -> None:
    assert filled("{{ part }}", part=Markup("<b>\n</b>")) == "<b>\n</b>"


@pytest.mark.parametrize("source", ["{{ missing }}", "{{ name.missing }}", "{% if missing %}{% endif %}"])
def test_a_name_that_was_not_given_stops_the_page(source: str) -> None:
    with pytest.raises(UndefinedError):
        filled(source, name="a")


def test_numbers_have_the_decimals_of_the_reports() -> None:
    shown = filled("{{ 97.114 | score }}, {{ none | score }}")
    assert shown == "97.11, "


def test_a_polygon_is_in_pixels_of_the_film() -> None:
    assert (
        filled("{{ corners | points((100, 200)) }}", corners=((0.5, 0.25), (1, 1)))
        == "100.0,25.0 200.0,100.0"
    )


def test_a_file_becomes_base64() -> None:
    assert filled("{{ content | base64 }}", content=b"\xff\xfe\xfd") == "//79"
