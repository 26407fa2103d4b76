"""Words and tools that every floor above may use; knows nothing of the domains."""
