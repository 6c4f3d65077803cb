"""Which reports a scan writes."""

from enum import StrEnum

from cxr_runtime.errors import UsageError


class ReportFormat(StrEnum):
    """What `--format` may name."""

    CSV = "csv"  # results.csv
    HTML = "html"  # worklist.html
    PDF = "pdf"  # report.pdf
    PNG = "png"  # heatmaps/NAME.png
    NPZ = "npz"  # heatmaps/NAME.npz


DEFAULT_FORMATS = frozenset(ReportFormat) - {ReportFormat.NPZ}


def parse_formats(listed: str) -> frozenset[ReportFormat]:
    """Read a list like `csv,html`.

    Raises:
        UsageError: it names something else.
    """
    names = [name.strip().lower() for name in listed.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(ReportFormat)]
    if unknown or not names:
        raise UsageError(
            f"--format {listed!r} names {', '.join(unknown) or 'nothing'}; "
            f"choose any of {','.join(ReportFormat)}"
        )
    return frozenset(ReportFormat(name) for name in names)
