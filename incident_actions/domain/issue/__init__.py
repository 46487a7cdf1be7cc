"""One issue: GitHub's data about it, its body and form, its labels, and the incident record."""
