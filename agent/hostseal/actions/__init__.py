"""Playbooks, each run in a unit of its own."""
