"""The command line: one function a subcommand, heavy imports inside it."""
