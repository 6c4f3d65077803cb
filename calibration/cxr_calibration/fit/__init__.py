"""From labelled films to a calibration: probabilities, operating points, and what they are worth."""
