"""Suspects: what changed in the hour before an incident began."""
