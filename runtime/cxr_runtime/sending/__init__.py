"""Results go to an archive: by C-STORE or STOW-RS, from a queue in the store."""
