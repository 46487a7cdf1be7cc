"""From an issue's comments and events to the incident: commands, their reading, and the fold."""
