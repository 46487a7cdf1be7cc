"""The projection: what an incident's issue should look like, and the changes that are needed."""
