"""The bundle: one file with which a clinic installs the program without a network."""
