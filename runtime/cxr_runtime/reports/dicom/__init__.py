"""A scored film's results as DICOM objects of the film's own study; needs the extra `dicom`."""
