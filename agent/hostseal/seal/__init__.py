"""The seal on disk: walks trees, writes manifests and compares a host with one."""
