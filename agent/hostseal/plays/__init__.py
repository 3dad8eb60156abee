"""Playbooks judged before they run: loaded by ansible-core, asked about as the collection's gate asks."""
