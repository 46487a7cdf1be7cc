"""One short file a job: observe, fold, plan, apply."""
