"""The latent space: points drawn from the prior, paths between points. numpy float32 arrays [..., Z]."""
