"""Studies of trained models: tables of numbers, each beside its trivial baseline."""
