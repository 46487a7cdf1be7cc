"""One issue: what GitHub says of it, its body and form, and the incident record."""
