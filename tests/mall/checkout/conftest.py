from tests.mall.orders.conftest import alice, books_stay_clean, mallory

__all__ = ["alice", "books_stay_clean", "mallory"]
