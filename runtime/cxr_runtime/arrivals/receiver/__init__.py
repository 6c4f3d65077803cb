"""Films by DICOM: a receiver as a way of arriving, its inbox, and copies of received films without names."""
