"""The scan: films in, stored rows out."""
