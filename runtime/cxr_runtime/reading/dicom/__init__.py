"""DICOM files (PS3.10): radiographs and secondary captures."""
