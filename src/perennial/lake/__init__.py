"""Delta tables, engines, roll-ups: the only place that opens an engine."""
