"""What the issue should look like: labels, edits, the state in its body, staleness."""
