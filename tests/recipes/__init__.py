"""Recipes carried out: what the documentation says of adding something is done to a copy of the product, and tried."""
