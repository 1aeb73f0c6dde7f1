"""The latent space: paths between points, directions of attributes.

numpy float32 arrays [..., Z].
"""
