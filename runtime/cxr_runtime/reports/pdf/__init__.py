"""report.pdf: the sheet it is printed on, the marks, the summary, and one page a film."""

from cxr_runtime.reports.pdf.document import write_report

__all__ = ["write_report"]
