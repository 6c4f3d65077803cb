"""worklist.html: its page, the rows on it, and the style and script that it carries."""

from cxr_runtime.reports.worklist.page import write_worklist

__all__ = ["write_worklist"]
