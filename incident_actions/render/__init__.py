"""Turns facts into text: Markdown and HTML in which people's words stay harmless. Sends nothing."""
