"""What pages of the server take is measured on a server that really answers."""

from cxr_runtime.benchmark.serving import measure_serving


def test_every_page_of_a_filled_store_is_asked_for() -> None:
    first, empty, *pages = measure_serving(3)
    assert first.startswith("3 films, ")
    assert empty.startswith("first page of an empty store: ")
    assert [line.partition(":")[0] for line in pages][-2:] == [
        "similar films, the first time",
        "similar films, from then on",
    ]
    assert all(line.endswith(" ms") for line in (empty, *pages))
