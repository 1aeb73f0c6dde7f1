"""Models of other programs, and ours for them.

Checkpoints are read without TensorFlow, recognised by names and shapes, and renamed.
"""
