"""Tokens to what one can hear and see: MIDI files and piano rolls."""
