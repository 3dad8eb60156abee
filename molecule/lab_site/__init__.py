"""Installs Hostseal on lab hosts, the way an operator does: with the collection's roles, over ssh."""

from lab_site.install import Site, install, install_ledger

__all__ = ["Site", "install", "install_ledger"]
