"""The policy engine and its bundle."""
