"""What one can hear and see: MIDI files, sound, piano rolls, figures, a page for a run."""
