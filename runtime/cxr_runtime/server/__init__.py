"""The worklist in a browser: films at full depth, verdicts, accounts. It stands on the store."""
