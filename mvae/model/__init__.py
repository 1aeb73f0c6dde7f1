"""MusicVAE as pure functions of explicit parameter trees: arrays in, arrays out.

Shapes: B batch, T steps, U bars, S steps per bar (T = U * S), K streams, C columns of a stream, V
values of a column, H hidden, Z latent, E embedding, N = B * U folded bars. Public arrays are
batch-major; inside the recurrences time leads.
"""
