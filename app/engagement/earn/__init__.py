"""Earn points 赚积分: every way to earn, its rule in a sentence, its cap, and how far a member has come today."""
