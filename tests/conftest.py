"""What holds for all tests."""

import signal

# A shell without job control starts what ends in & so that Ctrl-C is ignored, and children inherit
# it. Tests that stop programs by Ctrl-C need the usual answer.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
