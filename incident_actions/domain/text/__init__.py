"""Readers of text that several rooms share: times, durations, YAML, Markdown, names, globs."""
