"""The gate: is this an upright frontal chest film with readable lungs?"""

from cxr_runtime.gate.admission import Admission, Gate, examine
from cxr_runtime.gate.verdict import Code, Verdict

__all__ = ["Admission", "Code", "Gate", "Verdict", "examine"]
