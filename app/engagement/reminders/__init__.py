"""Reminders 到期提醒: a mail before points expire, once for each day of expiry, to members who want it."""
