"""Everything that talks to GitHub over HTTP: a transport, and one module for each part of the API.

`client.GitHub` is the whole as one object.
"""
