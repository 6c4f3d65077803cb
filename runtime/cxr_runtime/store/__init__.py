"""The output folder and the store in it: what every report is made from."""
