"""What is fast, and how it is measured: `make bench`."""

from __future__ import annotations
