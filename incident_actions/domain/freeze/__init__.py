"""Deploy freezes: scheduled windows, guarded labels, overrides that were used."""
