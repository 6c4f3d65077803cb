"""The curve of memory against films, drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from cxr_runtime.benchmark.scale import Point


def draw_memory(curves: Mapping[str, Sequence[Point]], path: Path) -> None:
    """Draw the memory of the largest process of each scan.

    Args:
        curves: by the words of the legend; of scans of equal many films the largest counts.
        path: of the figure; its end says which kind it is.
    """
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    for word, points in curves.items():
        most = dict[int, int]()
        for point in points:
            most[point.films] = max(point.run.peak, most.get(point.films, 0))
        axes.plot(list(most), list(most.values()), marker="o", label=word)
    axes.set_xscale("log")
    axes.set_ylim(0, 1.2 * axes.dataLim.ymax)
    axes.set_xlabel("films")
    axes.set_ylabel("largest process, MiB")
    axes.set_xticks(sorted({point.films for points in curves.values() for point in points}))
    axes.xaxis.set_major_formatter(lambda films, _: f"{films:,.0f}")
    axes.minorticks_off()
    axes.grid(visible=True, axis="y", alpha=0.3)
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
