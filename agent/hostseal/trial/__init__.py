"""A first look without root or systemd."""
