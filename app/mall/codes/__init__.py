"""Code pools 券码池: voucher codes that are sold, each to one member only."""
