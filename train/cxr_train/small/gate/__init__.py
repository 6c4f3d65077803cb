"""The gate network: its pictures, its training, and the films it is tried on."""
