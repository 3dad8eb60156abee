"""Replaces flagged hosts, one at a time: a thin controller around the pure life of a host."""
