"""What a model that ships promises, and what films say that it has never seen."""
