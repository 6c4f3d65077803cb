"""Names of the files that the product reads and writes; they are part of the command line's contract."""

# In the output folder of a scan.
STORE_FILE = "triage.sqlite"  # also marks a folder of results, which is never scanned
RESULTS_FILE = "results.csv"
WORKLIST_FILE = "worklist.html"
REPORT_FILE = "report.pdf"
HEATMAPS_FOLDER = "heatmaps"

# In a model's folder.
MODEL_FILE = "model.onnx"
MANIFEST_FILE = "model.json"
CALIBRATION_FILE = "calibration.json"
CARD_FILE = "card.md"
