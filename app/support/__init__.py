"""Helping members: the desk that finds them, sees the whole picture and puts things right."""
