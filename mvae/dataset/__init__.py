"""From MIDI folders to batches: the parallel build, the memory-mapped store, the loader."""
