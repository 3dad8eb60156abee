"""Scans: the sealed trees compared with the manifest by a child process, and what the agent makes of it."""
