"""Heat of a trained network: its recipe, its location prior, and whether it lies where disease is."""
