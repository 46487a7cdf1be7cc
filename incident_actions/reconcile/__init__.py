"""Jobs: each observes, folds, plans and applies."""
