"""The team's playbook: checklists, recovery checks, runbooks, the on-call rotation."""
