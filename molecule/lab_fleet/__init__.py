"""A small fleet on this machine: web hosts from the built image behind HAProxy, with ledger, policy engine and controller."""

from lab_fleet.fleet import FleetLab

__all__ = ["FleetLab"]
