"""A model folder: manifest, calibration, preprocessing; nothing is used before it is found right."""
