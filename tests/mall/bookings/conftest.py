from tests.mall.slots.conftest import alice, books_stay_clean, mallory, stock_follows

__all__ = ["alice", "books_stay_clean", "mallory", "stock_follows"]
