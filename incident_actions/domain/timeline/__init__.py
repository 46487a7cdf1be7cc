"""From comments and events to the incident: commands, the fold, the bot's own comments."""
