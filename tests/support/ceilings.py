"""How many requests a run may make. `make bench` and the tests hold every run to these."""

DECLARATION = 20
"""The run for a new incident: reading the playbook and what changed before, labels, dashboard."""
COMMENT = 15
"""The run for a comment with a command."""
QUIET_SWEEP = 12
"""A sweep that finds nothing to do, whatever happened before."""
EACH_OPEN = 4
"""What each open incident may cost a sweep besides."""
