"""Weights of other programs: Magenta's checkpoints and ours under Magenta's names.

Checkpoints are read without TensorFlow, recognised by names and shapes, and renamed.
"""
