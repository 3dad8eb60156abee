"""What `make` needs before the project's own environment exists; the standard library is all it may import."""
