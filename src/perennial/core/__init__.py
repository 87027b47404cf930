"""Windows, money, ids, errors: the standard library and nothing else."""
