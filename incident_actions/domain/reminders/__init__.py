"""Reminders: what is due, since when, and who is reminded, during an incident and after it."""
