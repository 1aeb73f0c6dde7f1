"""The listening test of the paper (section 5.4): which of two pieces from different sources is more
musical, asked on a web page.
"""
