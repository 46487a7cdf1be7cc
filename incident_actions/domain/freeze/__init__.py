"""Deploy freezes: scheduled windows, labels that not everybody may change, and used overrides."""
