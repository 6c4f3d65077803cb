"""What a scan costs on many machines: measured with one worker and two, reckoned for millions of films."""
