"""The `hostseal` command."""
