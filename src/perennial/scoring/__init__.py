"""Health and what is learned from the past, as pure functions."""
