"""The spool: events on their way to an outcome."""
