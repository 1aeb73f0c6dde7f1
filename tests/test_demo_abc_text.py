from fractions import Fraction

import pytest

from mvae.demo.abc_text import Source, read_fragments, read_header, sources

HEADER = 'X:1\nT:Test\nM:C\nL:1/8\nK:G\n'


def pitches(text):
    fragments, _, _ = read_fragments(HEADER + text, 4)
    return [[note.pitch for note in fragment.notes] for fragment in fragments]


def lengths(text):
    fragments, _, _ = read_fragments(HEADER + text, 4)
    return [[note.length for note in fragment.notes] for fragment in fragments]


def test_key_signature_and_accidentals_that_last_to_the_end_of_the_bar():
    assert pitches('F2 =F2 F2 ^c2 | F8 |') == [[66, 65, 65, 73], [66]]
    assert pitches('_B2 B,2 c2 z2|') == [[70, 58, 72, None]]  # B flat: music21 writes it B-4
    assert pitches("c' c C C,|") == [[84, 72, 60, 48]]


def test_broken_rhythm_reaches_over_slurs_and_grace_notes():
    assert lengths('(A>)(B {gf}c)<d|') == [[3, 1, 1, 3]]


def test_grace_notes_take_no_time_and_tuplets_are_exact():
    assert lengths('{gag}A2 (3BcB|') == [[4, Fraction(4, 3), Fraction(4, 3), Fraction(4, 3)]]


def test_double_stops_give_the_top_note():
    assert pitches('[GB]2 +Dd+2|') == [[71, 74]]


def test_key_header_and_marks():
    _, marks, key = read_fragments('X:1\nM:C\nL:1/8\nK:Ador\nA8:|\n|:B8|1 c8:|2 d8||\n', 4)
    assert key == (1, 'dorian')
    assert marks == [
        (1, 'end'),
        (1, 'start'),
        (2, 'ending1'),
        (3, 'end'),
        (3, 'ending2'),
        (4, 'double'),
    ]


def test_ties_are_marked():
    fragments, _, _ = read_fragments(HEADER + 'A4 B4-|B8|', 4)
    assert [note.tied for fragment in fragments for note in fragment.notes] == [False, True, False]


def test_no_notes_is_refused():
    with pytest.raises(ValueError, match='no notes'):
        read_fragments(HEADER + 'z|'.replace('z|', ''), 4)


def test_header_takes_the_first_value_up_to_the_key():
    assert read_header('X:1\nT:One\nT:Two\nM: C % common\nK:D\nM:3/4\nL:1/8\n') == {
        'X': '1', 'T': 'One', 'M': 'C', 'K': 'D',
    }  # fmt: skip


def test_sources_are_cut_at_tunes_and_numbered(tmp_path):
    (tmp_path / 'book').mkdir()
    (tmp_path / 'book' / 'b.abc').write_text('% a comment\nX:7\nT:Third\n', encoding='utf-8')
    (tmp_path / 'book' / 'a.abc').write_text('\nX:1\nT:First\nX: 2\nT:Second\n', encoding='utf-8')
    found = sources(tmp_path, ['book'])
    assert [source.number for source in found] == [1, 2, 3]
    assert found[0] == Source('book', 1, 'X:1\nT:First\n')
    assert 'Third' in found[2].text
