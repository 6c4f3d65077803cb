"""The pages of report.pdf: the sheet they are printed on, the summary, and one page a film."""
