"""Enrolment's two ends: the first boot of a host, and the record of which credentials were used."""
