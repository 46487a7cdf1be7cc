"""What is due, since when, and whose it is: during an incident and after it."""
