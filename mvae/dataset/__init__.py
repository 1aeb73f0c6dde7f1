"""From MIDI folders to batches: the parallel build, the memory-mapped token store and the
deterministic loader.
"""
