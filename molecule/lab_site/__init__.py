"""Installs Hostseal on lab hosts, the way an operator does: with the collection's roles, over ssh."""

from lab_site.install import Site, install

__all__ = ["Site", "install"]
