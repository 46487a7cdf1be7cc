"""Shared readers of text: times, durations, YAML, front matter, names and path globs."""
