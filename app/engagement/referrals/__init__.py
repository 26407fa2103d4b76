"""Members bring friends: codes, who came by whom, and what both get for it."""
