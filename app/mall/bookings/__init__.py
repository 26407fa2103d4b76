"""Bookings 预约: the booked times of orders, for whoever booked them and for whoever waits for them."""
