"""The postmortem: its file, its action items, and what keeps both in step with GitHub. Pure."""
