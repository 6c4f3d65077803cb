"""The loop that trains a network: batches, losses, steps, validation, and the runs it builds on."""
