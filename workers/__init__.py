"""The processes that do what is due: workers behind RQ's queue, and the clock that rings for them."""
