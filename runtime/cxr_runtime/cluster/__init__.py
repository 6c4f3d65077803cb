"""Many machines share a scan: Ray runs a station on each processor, and one process writes the store."""
