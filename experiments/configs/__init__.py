"""The experiments, a file each. Wheels carry this folder as `mvae.experiments`."""
