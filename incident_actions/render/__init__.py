"""From facts to text: Markdown that is safe whatever people typed."""
