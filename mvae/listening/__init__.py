"""The listening test of the paper (section 5.4), asked on a web page.

Listeners hear two pieces from different sources and say which is more musical.
"""
