"""The demo: a small group of shops and a year of its members' lives, told through the real actions."""
