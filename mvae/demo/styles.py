"""The styles of the demo arranger, as data.

Drum patterns are strings of 16 sixteenths: `X` always, `o` drawn once for a groove, `g` drawn anew
for every phrase (ghosts), `.` never.

Bass figures are strings of 16 sixteenths: R root, T third, F fifth, O octave, A approach to the
next root; `-` holds, `.` rests; the figure 'kick' plays the root on the kick drum's steps instead.
"""

import dataclasses

KICK, SNARE, CLOSED, OPEN, LOW_TOM, MID_TOM, HIGH_TOM, CRASH, RIDE = range(9)
"""The nine drum classes, columns of a drum grid."""
DRUM_PITCHES = (36, 38, 42, 46, 45, 48, 50, 49, 51)
"""General MIDI pitch of each class."""


@dataclasses.dataclass(frozen=True)
class Style:
    """How bass and drums play.

    tempo: (low, high) quarter notes per minute.
    programs: General MIDI melody programs, 0-31.
    feel: weights for (even, dotted, slow) melodies.
    voices: drum class -> patterns to choose from.
    layers: for each energy 0..3 the drum classes that play.
    bass: figures to choose from; busy: figures at high energy.
    follow: how likely the kick doubles a syncopated melody note.
    """

    name: str
    tempo: tuple[int, int]
    programs: tuple[int, ...]
    feel: tuple[float, float, float]
    voices: dict[int, tuple[str, ...]]
    layers: tuple[tuple[int, ...], ...]
    bass: tuple[str, ...]
    busy: tuple[str, ...]
    follow: float = 0.0


_EIGHTHS = ('X.X.X.X.X.X.X.X.', 'X.XgX.X.X.X.X.Xg', 'X.X.XgX.X.X.X.X.')
_QUARTERS = ('X...X...X...X...', 'X...X.g.X...X.g.', 'X.g.X...X.g.X...')
_BACKBEAT = ('....X.......X...', '....X.......X..g', '....X..g....X...', '....X..g.g..X...')
_WALK = ('R---T---F---A---', 'R---F---O---A---', 'R---T---F---T-A-', 'O---F---T---A---')
TURNS = (
    'R---T---F---A---',
    'R---R-T-F---A-A-',
    'R-..R-..F-T-A---',
    'O---F---R-T-A---',
    'R-----F-R-T-F-A-',
)
"""Bass figures that lead into the next four bars, for every style."""

STYLES = (
    Style(
        'reel rock', (140, 180), (24, 25, 29, 21, 0), (3, 0.5, 0.4),
        {
            KICK: ('X.......X.......', 'X.......X.X.....', 'X.....o.X.o.....',
                   'X..o....X.......', 'X.X.....X.......'),
            SNARE: _BACKBEAT,
            CLOSED: _EIGHTHS,
            OPEN: ('..............X.', '......o.......X.', '..X...X...X...X.'),
            RIDE: ('X.X.X.X.X.X.X.X.', 'X...X.X.X...X.X.', 'X...X...X...X...'),
        },
        ((KICK, CLOSED), (KICK, SNARE, CLOSED),
         (KICK, SNARE, CLOSED, OPEN), (KICK, SNARE, RIDE, OPEN)),
        ('R-R-R-R-R-R-R-R-', 'R---R---F---R---', 'R-----R-R---F---', 'R--R--R-R--R--F-', 'kick'),
        ('R-R-O-R-R-R-O-R-', 'R-R-T-R-F-F-T-R-', 'R-RRR-R-F-FFA-A-'),
        0.2,
    ),
    Style(
        'boom-chick polka', (150, 200), (21, 22, 23, 6, 15), (2.5, 0.7, 0.4),
        {
            KICK: ('X.......X.......', 'X.......X.....o.', 'X...o...X.......'),
            SNARE: ('....X.......X...', '....X.......X.X.', '....XgX.....X...', '..X...X...X...X.'),
            CLOSED: ('..X...X...X...X.', '....X.......X...', '..X.g.X...X.g.X.',
                     'X.X.X.X.X.X.X.X.'),
            OPEN: ('......X.......X.', '..............X.'),
            RIDE: _QUARTERS,
        },
        ((KICK, CLOSED), (KICK, SNARE), (KICK, SNARE, CLOSED), (KICK, SNARE, CLOSED, OPEN)),
        ('R---....F---....', 'R-..R-..F-..F-..', 'R-......F-......',
         'R---....F---A-..', 'R---....T---....'),
        ('R-..T-..F-..A-..', 'R---F---R---A---', 'R-..O-..F-..O-..'),
    ),
    Style(
        'march', (104, 126), (22, 7, 0, 6), (1, 2, 1),
        {
            KICK: ('X.......X.......', 'X...X...X...X...', 'X.......X...X...'),
            SNARE: ('X..XX.X.X..XX.X.', 'X..XX..XX.XXX.XX', 'X.XXX.XXX.X.X.X.', 'X...X.XXX...X.X.',
                    'XXX.XXX.X.X.X.X.', '..XX..X...XX..X.', 'X..gX..gX.XXXXXX', 'X.......X..XX.X.'),
            CLOSED: ('....X.......X...', '..X...X...X...X.'),
            LOW_TOM: ('........X.......', 'X.......X...o...'),
            CRASH: ('X...............', '........o.......'),
        },
        ((KICK, LOW_TOM), (KICK, SNARE), (KICK, SNARE, CLOSED), (KICK, SNARE, CLOSED, LOW_TOM)),
        ('R-..F-..R-..F-..', 'R---F---R---F---', 'R-......F-......', 'R---R-..F---F-..'),
        ('R---T---F---T---', 'R-..F-..O-..A-..', *_WALK),
    ),
    Style(
        'hornpipe swing', (112, 144), (24, 25, 21, 11, 5), (0.3, 6, 0.5),
        {
            KICK: ('X.......X.......', 'X.......X..o....', 'X......XX.......',
                   'X..X....X.......', 'X......oX......o'),
            SNARE: ('....X.......X...', '....X.......X..X', '....X..g....X..g', '....X..X....X...'),
            CLOSED: ('X..XX..XX..XX..X', 'X...X..XX...X..X', '...X...X...X...X',
                     'X..gX..gX..gX..g'),
            OPEN: ('...............X', '.......X.......X'),
            RIDE: ('X...X..XX...X..X', 'X..XX..XX..XX..X', 'X...X..gX...X..g'),
        },
        ((KICK, RIDE), (KICK, SNARE, CLOSED), (KICK, SNARE, RIDE), (KICK, SNARE, RIDE, OPEN)),
        ('R---F---R---F---', 'R------RF------A', 'R--RF---R--RF---', *_WALK),
        ('R--RT--TF--FA--A', 'R--FO--FR--FA---', *_WALK),
        0.15,
    ),
    Style(
        'half-time ballad', (66, 92), (0, 4, 24, 16, 26), (0.5, 0.6, 6),
        {
            KICK: ('X...............', 'X.........X.....', 'X.....X...X.....',
                   'X..o......X...o.', 'X.......o.X.....'),
            SNARE: ('........X.......', '........X......g', '........X.....g.', '.......gX.......'),
            CLOSED: ('X...X...X...X...', 'X.X.X.X.X.X.X.X.', 'X.X.X.XXX.X.X.X.',
                     'X...X...X...X.g.'),
            OPEN: ('..............X.', '......X.........'),
            RIDE: ('X...X...X...X...', 'X.X.X.X.X.X.X.X.', 'X...X.X.X...X.X.'),
        },
        ((RIDE,), (KICK, SNARE, CLOSED), (KICK, SNARE, RIDE), (KICK, SNARE, RIDE, OPEN)),
        ('R---------------', 'R-------F-------', 'R-----------F---',
         'R-----R-F-------', 'R-------R-----A-'),
        ('R-----F-O-------', 'R---F---O---F---', 'R-----R-F---T-A-'),
        0.1,
    ),
    Style(
        'disco', (116, 134), (4, 5, 16, 17, 27), (2.5, 0.4, 0.6),
        {
            KICK: ('X...X...X...X...', 'X...X...X...X..g', 'X...X...X...X.o.', 'X...X..oX...X...'),
            SNARE: ('....X.......X...', '....X.......X..o', '....X..g....X...'),
            CLOSED: ('XX.XXX.XXX.XXX.X', 'X.g.X.g.X.g.X.g.', 'X..XX..XX..XX..X',
                     'XXXXXXXXXXXXXXXX'),
            OPEN: ('..X...X...X...X.',),
            RIDE: ('X.X.X.X.X.X.X.X.', '..X...X...X...X.'),
        },
        ((KICK, CLOSED), (KICK, OPEN), (KICK, SNARE, CLOSED, OPEN), (KICK, SNARE, OPEN, RIDE)),
        ('R.O.R.O.R.O.R.O.', '..R-..R-..R-..R-', 'R.O.R.O.F.O.A.O.',
         'R..R..O.R..R..O.', 'R-.RO.R-.ROOR.O.'),
        ('R.O.RRO.R.O.RAO.', 'R.ORR.O.F.OFF.A.', 'RRO.RRO.FFO.TAO.'),
    ),
    Style(
        'funk', (92, 114), (27, 28, 7, 4, 18), (2.5, 0.4, 0.8),
        {
            KICK: ('X..X..X...X.....', 'X.X....X..X.....', 'X.....X..XX.....',
                   'X..o...X.XX..o..', 'X.........XX..X.', 'XX.....X..X..o..'),
            SNARE: ('....X..g.g..X..g', '....X..X.X..X...', '....X....X..X..g',
                    '....X.g.....X.gX', '.g..X..g.X.gX..g'),
            CLOSED: ('XXXXXXXXXXXXXXXX', 'X.XXX.XXX.XXX.XX', 'X.X.X.X.X.X.X.X.',
                     'XgXgXgXgXgXgXgXg'),
            OPEN: ('......X.........', '..............X.', '.......X.......X'),
            RIDE: ('X.X.X.X.X.X.X.X.', 'X..X..X.X..X..X.'),
        },
        ((KICK, CLOSED), (KICK, SNARE, CLOSED),
         (KICK, SNARE, CLOSED, OPEN), (KICK, SNARE, RIDE, OPEN)),
        ('R..R..O...R.....', 'R.R....O..F-....', 'R-....R..RF.....', '..R...O.R..F.A..', 'kick'),
        ('R..RO.R..RFO.A.A', 'RR.O..R..FR.T.A.', 'R.OR..O.RF..O.AA'),
        0.35,
    ),
    Style(
        'bodhran toms', (150, 190), (21, 24, 22, 15, 13), (2.5, 0.8, 0.8),
        {
            KICK: ('X.......X.......', 'X.....X.....X...', 'X.....X...X.....'),
            LOW_TOM: ('X.......X.......', 'X.....X.....X...', 'X...X...X...X...',
                      'X.g.X.g.X.g.X.g.'),
            MID_TOM: ('..X.X.X...X.X.X.', '..XXX.XX..XXX.XX', '...X..X....X..X.',
                      '..X...X.X...X.X.', '..g.X.X...g.X.X.'),
            HIGH_TOM: ('....X.......X...', '......X.......X.', '.......X..X....X',
                       '....o.X.....X.o.'),
            SNARE: ('............X...', '....o.......X...'),
            RIDE: ('X...X...X...X...', 'X.......X.......'),
            CLOSED: ('..X...X...X...X.', '....X.......X...'),
        },
        ((LOW_TOM, MID_TOM), (LOW_TOM, MID_TOM, HIGH_TOM),
         (KICK, LOW_TOM, MID_TOM, HIGH_TOM, CLOSED),
         (KICK, LOW_TOM, MID_TOM, HIGH_TOM, SNARE, RIDE)),
        ('R---------------', 'R-------F-------', 'R-----R-----F---', 'R-..R-..R-..R-..'),
        ('R-----R-----R-A-', 'R---O---R---O---', 'R-----F-----O-F-'),
        0.2,
    ),
    Style(
        'train beat', (130, 170), (25, 24, 15, 22, 26), (2.5, 0.5, 0.4),
        {
            KICK: ('X.......X.......', 'X...o...X...o...', 'X.......X.....X.'),
            SNARE: ('X.XXX.XXX.XXX.XX', 'X.X.X.XXX.X.X.XX', '..XX..XX..XX..XX',
                    'XgXgX.XgXgXgX.Xg', '..X.X.X...X.X.X.'),
            CLOSED: ('....X.......X...', '..X...X...X...X.'),
            OPEN: ('....X.......X...', '............X...'),
            RIDE: _QUARTERS,
        },
        ((KICK, CLOSED), (KICK, SNARE), (KICK, SNARE, CLOSED), (KICK, SNARE, OPEN, RIDE)),
        ('R---....F---....', 'R---R---F---F---', 'R-..R-..F-..A-..', 'R---....F---R---'),
        _WALK,
    ),
    Style(
        'bossa', (96, 132), (24, 11, 0, 4, 26), (1, 0.7, 2),
        {
            KICK: ('X..XX..XX..XX..X', 'X......XX......X', 'X..X....X..X....', 'X......XX.......'),
            SNARE: ('X..X..X...X..X..', '..X..X..X..X..X.', 'X..X...X..X.X...', '..X.X...X..X..X.'),
            CLOSED: ('X.X.X.X.X.X.X.X.', 'XgXgXgXgXgXgXgXg', 'X.XXX.XXX.XXX.XX'),
            OPEN: ('..............X.',),
            RIDE: ('X.X.X.X.X.X.X.X.', 'X..X..X.X..X..X.'),
            MID_TOM: ('............o.X.', '..............X.'),
        },
        ((KICK, RIDE), (KICK, CLOSED), (KICK, SNARE, CLOSED), (KICK, SNARE, RIDE, MID_TOM)),
        ('R-----R-F-----F-', 'R-----F-F-----R-', 'R-----..F-----..', 'R-----R-F-----A-'),
        ('R-----F-O-----A-', 'R--R--F-F--F--A-', 'R--R--O-R--F--A-'),
        0.15,
    ),
    Style(
        'breakbeat', (128, 168), (16, 5, 29, 30, 6), (1.8, 0.3, 0.5),
        {
            KICK: ('X.X.......XX....', 'X.X.......X.....', 'X......X..X.....',
                   'X.........X..o..', 'X.o.....o.XX....'),
            SNARE: ('....X..X.X..X..X', '....X..X.X....X.', '....X..g.X..X...', '....X.......X..X'),
            CLOSED: ('X.X.X.X.X.X.X.X.', 'X.XgX.XgX.XgX.Xg', '..X...X...X...X.'),
            OPEN: ('..........X.....', '......X.......X.'),
            RIDE: ('X.X.X.X.X.X.X.X.', 'X...X...X...X...'),
        },
        ((CLOSED, OPEN), (KICK, SNARE), (KICK, SNARE, CLOSED), (KICK, SNARE, RIDE, OPEN)),
        ('R---------......', 'R-----..R-..F---', 'R..R......RR....', 'R-------O---F---', 'kick'),
        ('R-R.....O.RRF-A-', 'R..R..R.O..O..A.', 'R-.R..R-..F-A-A-'),
        0.25,
    ),
)  # fmt: skip
