"""Courses 课程: lessons to read, one after the other; points for who has read them all."""
