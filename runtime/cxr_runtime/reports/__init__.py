"""What people look at: overlay pictures, the worklist, the PDF report, results.csv."""
