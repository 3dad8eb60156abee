"""The demo: a real host, a real login, an edit, and what becomes of its seal."""
