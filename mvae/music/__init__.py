"""Notes and tokens: numpy columns in, token arrays out; knows nothing of models."""
