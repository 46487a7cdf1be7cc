"""Everything that talks to GitHub over HTTP: a transport, and one module for each part of the API.

`client.GitHub` puts all parts together in one class. Only the gate has a client of its own.
"""
