"""The postmortem: its file, its action items, and their issues, as pure functions."""
