"""Hostseal: a tamper-evident seal for hosts that are replaced, never patched."""

__version__ = "0.1.0"
