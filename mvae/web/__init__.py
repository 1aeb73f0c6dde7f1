"""What the web pages of mvae share: a server on one address, headers, small JSON requests, errors.

It knows nothing of music. What a page shows and takes belongs to the package that offers it.
"""
