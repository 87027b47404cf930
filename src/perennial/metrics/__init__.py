"""Every number, as a pure Ibis expression."""
