"""What people say of films, read from CSV files, and brought together with the scores of scans."""
