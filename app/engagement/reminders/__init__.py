"""A mail before points expire, to those who want it."""
