"""Incident response for a GitHub repository, with GitHub as the only backend."""

__version__ = "1.0.0"
