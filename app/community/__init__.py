"""What members do with each other and with us."""
