"""A small model of a scan on many machines: processor time a film, by part, and bytes a film."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cxr_runtime.markdown import markdown_table

HOUR = 3600.0
DAY = 24 * HOUR
ENDING_MS = (
    0.17  # a film, after the last one: judged, compared, counted, written to results.csv (`lab scale`)
)
NAMES_BYTES = 220  # of memory a film in the process that writes, while it ends (`lab scale`)
FILMS_A_PART = 1_000_000  # that one process writes


@dataclass(frozen=True)
class Costs:
    """Processor time of one core, milliseconds a film."""

    reading: float  # decoding, gate, lung field, in the processes that read
    station: float  # network, heat, pictures
    writing: float  # of the one process that stores what comes
    ray: float  # moving films and results

    @property
    def parts(self) -> tuple[float, float, float, float]:
        """In the order of the fields."""
        return self.reading, self.station, self.writing, self.ray

    @property
    def all(self) -> float:
        """Of a film, all together."""
        return sum(self.parts)

    def rate(self, cores: float) -> float:
        """Films a second, on so many cores that share all of the work; one process can write no faster."""
        return min(1000 * cores / self.all, 1000 / self.writing)


@dataclass(frozen=True)
class Sizes:
    """Bytes a film."""

    film: float  # that are read
    pictures: float  # in heatmaps/
    store: float


@dataclass(frozen=True)
class Price:
    """What is paid; no figure of ours."""

    core_hour: float
    gigabyte_month: float


def scale_table(counts: Sequence[int], cores: int, costs: Costs, sizes: Sizes, price: Price) -> str:
    """What so many films take.

    Args:
        counts: films, a column each.
        cores: that do them.
        costs: of a film.
        sizes: of a film.
        price: of cores and disk.
    """
    columns = [list(_column(films, cores, costs, sizes, price)) for films in counts]
    rows = [(name, *(column[row][1] for column in columns)) for row, (name, _) in enumerate(columns[0])]
    return markdown_table(("", *(f"{films:,} films" for films in counts)), rows, "l" + "r" * len(counts))


def _column(films: int, cores: int, costs: Costs, sizes: Sizes, price: Price) -> Iterator[tuple[str, str]]:
    parts = -(-films // FILMS_A_PART)
    busy = films * (costs.all + ENDING_MS) / 1000
    disk = films * (sizes.pictures + sizes.store)
    yield "processor time", f"{busy / HOUR:,.0f} core hours"
    written = films * (costs.writing + ENDING_MS) / 1000
    took = max(busy / cores, written / parts)
    yield f"time on {cores} cores, one process that writes for each million", _time(took)
    yield "time with one process that writes all", _time(max(busy / cores, written))
    yield "the same films again, nothing to do", _time(films * ENDING_MS / 1000)
    yield "read from the share", f"{films * sizes.film / 1e12:,.1f} TB"
    yield "read a second, meanwhile", f"{films * sizes.film / took / 1e6:,.0f} MB"
    yield "pictures", f"{films * sizes.pictures / 1e12:,.2f} TB"
    yield "stores", f"{films * sizes.store / 1e12:,.2f} TB"
    yield "memory of one process that writes all", f"{films * NAMES_BYTES / 1e9:,.1f} GB"
    yield "price of the cores", f"{busy / HOUR * price.core_hour:,.0f}"
    yield "price of the disk, a month", f"{disk / 1e9 * price.gigabyte_month:,.0f}"


def _time(seconds: float) -> str:
    return f"{seconds / DAY:,.1f} days" if seconds > 2 * DAY else f"{seconds / HOUR:,.1f} hours"
