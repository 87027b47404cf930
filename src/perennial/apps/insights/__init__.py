"""Insights: what past decisions tell, how sure it is, and what to do about it."""
