"""Films that arrive: watched folders, and the one loop that scores whatever comes."""
