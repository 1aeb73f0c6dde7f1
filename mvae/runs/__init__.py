"""Trained models as they are kept: checkpoints of a run, compact files, and the released ones."""
