"""Sharing 分享: a member passes a link on, and earns when somebody else follows it."""
