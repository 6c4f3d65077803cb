"""The error that training adds to the product's tree."""

from cxr_runtime.errors import CxrTriageError


class TrainingError(CxrTriageError):
    """Training cannot go on, e.g. because the loss is no longer finite."""
