"""The worker and the clock: processes that do what is due, woken through RQ."""
