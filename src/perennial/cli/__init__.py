"""One program: `perennial`."""
