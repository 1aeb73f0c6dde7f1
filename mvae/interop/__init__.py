"""Weights of other programs: Magenta's checkpoints, read without TensorFlow, recognised and
renamed; and ours under Magenta's names.
"""
