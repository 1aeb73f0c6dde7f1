"""What happens at a step: a note begins, ends, sounds on, or nothing sounds."""

EVENTS = ('onset', 'note_off', 'hold', 'rest')
ONSET, NOTE_OFF_EVENT, HOLDING, REST = range(len(EVENTS))
NO_STEP = -1  # behind the end of what is written: no step of the music
