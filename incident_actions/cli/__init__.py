"""The command line: inputs, the runner's annotations, and the commands that people type."""
