"""Is a repository ready for its first incident? Each check is a pure function of the facts."""
