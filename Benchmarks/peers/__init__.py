"""What the store is measured beside, and what feeds it: Python's standard library only."""
