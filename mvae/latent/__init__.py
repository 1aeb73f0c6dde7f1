"""The latent space: points drawn from the prior, paths between points, directions of attributes. numpy float32 arrays [..., Z]."""
