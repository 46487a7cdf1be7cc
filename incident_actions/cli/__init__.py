"""The command line: its inputs, its commands, and what they print for people and workflows."""
