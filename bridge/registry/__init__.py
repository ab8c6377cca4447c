"""Stores and consumer keys, and what a use case is given of them."""
