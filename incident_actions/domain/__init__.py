"""The rules of an incident. Pure: no network, file, clock or environment."""
