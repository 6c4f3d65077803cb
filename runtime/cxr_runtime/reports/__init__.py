"""What people look at: overlay pictures, the worklist, the PDF report, the table."""
