"""The rules of incidents, as pure code: it uses no network, file, clock or environment variable."""
