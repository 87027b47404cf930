"""Intake: what arrives by HTTP or as a file, until it is durable."""
