"""The agent's way to the ledger: what left the host counts after an intruder is root."""
