import re

from mvae.demo.styles import CRASH, DRUM_PITCHES, STYLES, TURNS


def test_there_are_many_styles_with_names_of_their_own():
    assert len({style.name for style in STYLES}) == len(STYLES) >= 6


def test_patterns_and_figures_are_well_formed():
    for style in STYLES:
        for patterns in style.voices.values():
            assert all(re.fullmatch('[Xog.]{16}', pattern) for pattern in patterns), style.name
        for figure in (*style.bass, *style.busy, *TURNS):
            assert figure == 'kick' or re.fullmatch('[RTFOA.][RTFOA.-]{15}', figure), (
                style.name,
                figure,
            )
            assert '.-' not in figure, (style.name, figure)  # a rest cannot be held


def test_settings_are_in_range():
    for style in STYLES:
        assert 60 <= style.tempo[0] < style.tempo[1] <= 220
        assert all(0 <= program <= 31 for program in style.programs)
        assert len(style.layers) == 4
        assert all(drum in style.voices for layer in style.layers for drum in layer), style.name
        assert len(set(style.layers)) == 4, style.name
        assert all(weight > 0 for weight in style.feel)


def test_no_two_styles_share_their_drums():
    grooves = [tuple(sorted(style.voices.items())) for style in STYLES]
    assert len(set(grooves)) == len(STYLES)


def test_the_nine_classes_have_their_pitches():
    assert DRUM_PITCHES == (36, 38, 42, 46, 45, 48, 50, 49, 51)
    assert DRUM_PITCHES[CRASH] == 49
