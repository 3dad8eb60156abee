"""Hosts by OpenTofu or Terraform: planned, the plan guarded, and only the guarded plan applied."""
