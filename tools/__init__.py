"""Small programs that ``make`` calls. They never become part of the application."""
