"""The listening test of the paper (section 5.4): which of two pieces is more musical?

    python experiments/listen.py serve --runs data=data/mine flat=runs/mel16-hierenc hierarchical=runs/mel16-hier [--trials 16] [--port 8000]
    python experiments/listen.py analyse [--answers runs/listening/answers.sqlite] [--out DIR]

serve shows a web page that plays pairs of pieces from different sources and asks; a source is a run
(new pieces) or, as `data` a run or a store, windows of the test split. Sounds are rendered once,
beside the answers file; the same command goes on where it was stopped. analyse writes
listening.json, wins.png and answers.csv: wins and mean scores with 95% intervals, Kruskal-Wallis,
Wilcoxon signed-rank between pairs.
"""

import argparse
import contextlib
import sys
from pathlib import Path

import command

from mvae.errors import InputError

_ANSWERS = Path('runs/listening/answers.sqlite')


def serve(options: argparse.Namespace) -> None:
    from mvae.listening.answers import Answers
    from mvae.listening.sources import locate
    from mvae.listening.survey import open_survey
    from mvae.listening.web import make_app
    from mvae.music.vocabulary import KINDS
    from mvae.trained import check_qpm
    from mvae.web import server

    check_qpm(options.qpm)
    if options.kind is not None:
        command.choose('kind', options.kind, tuple(KINDS))
    if not 0 <= options.seed < 2**32:
        raise InputError(f'a seed lies in 0..{2**32 - 1}, not at {options.seed}')
    places, kind, bars = locate(options.runs, options.kind, options.bars, options.checkpoint)
    settings = {
        name: getattr(options, name)
        for name in ('trials', 'pieces', 'seed', 'temperature', 'qpm', 'checkpoint')
    }
    settings |= {
        'kind': kind,
        'bars': bars,
        'sources': {name: str(place.path.resolve()) for name, place in places.items()},
    }
    with contextlib.closing(server.bind(options.host, options.port)) as listening:
        answers = Answers(options.answers, create=True)
        survey = open_survey(answers, settings, lambda: _pieces(places, settings))
        print(
            f'listening test of {", ".join(survey.sources)} on {server.address(listening)}',
            flush=True,
        )
        print(f'answers go to {options.answers}; Ctrl-C ends it', flush=True)
        server.run(make_app(answers, survey), listening)
    print(
        f'ended; {len(answers.all())} answers of {answers.listeners()} listeners in {options.answers}'
    )


def _pieces(places: dict, settings: dict) -> dict:
    from mvae.dataset.store import Store
    from mvae.listening.sources import draw_windows
    from mvae.trained import load

    kind, bars, count, seed = (settings[name] for name in ('kind', 'bars', 'pieces', 'seed'))
    pieces = {}
    for name, place in places.items():
        if place.is_store:
            store = Store.open(place.path)
            pieces[name] = draw_windows(store, kind, bars, count, seed), store.vocabulary
        else:
            model = load(place.path, settings['checkpoint'])
            pieces[name] = (
                model.sample_tokens(count, settings['temperature'], seed)[0],
                model.vocabulary,
            )
    return pieces


def analyse(options: argparse.Namespace) -> None:
    from mvae.files import write_json
    from mvae.listening.analysis import analyse
    from mvae.listening.answers import Answers
    from mvae.listening.report import draw_wins, to_text, write_csv

    file = Answers(options.answers)
    survey, answers = file.survey(), file.all()
    if survey is None:
        raise InputError(
            f'{options.answers} holds no listening test; python experiments/listen.py serve begins one'
        )
    settings = survey['settings']
    result = analyse(answers, list(survey['sounds']))
    counts = {}
    for answer in answers:
        counts[answer.listener] = counts.get(answer.listener, 0) + 1
    finished = sum(count == settings['trials'] for count in counts.values())
    result = {'settings': settings, 'finished': finished} | result
    print(
        f'{result["comparisons"]} comparisons by {result["listeners"]} listeners, {finished} of whom finished\n\n{to_text(result)}'
    )
    out = options.out or options.answers.parent
    write_json(out / 'listening.json', result)
    draw_wins(out / 'wins.png', result, f'{settings["bars"]}-bar {settings["kind"]}')
    write_csv(out / 'answers.csv', answers)
    print(f'\nlistening.json, wins.png and answers.csv in {out}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        description='The listening test: serve it, analyse its answers.'
    )
    programs = parser.add_subparsers(required=True, metavar='serve | analyse')
    for program, what in (
        (serve, 'play pairs of pieces on a web page, and ask'),
        (analyse, 'wins, mean scores and tests'),
    ):
        sub = programs.add_parser(program.__name__, help=what)
        sub.set_defaults(program=program)
        sub.add_argument(
            '--answers', type=Path, default=_ANSWERS, help=f'SQLite file (default: {_ANSWERS})'
        )
        if program is serve:
            sub.add_argument(
                '--runs',
                nargs='+',
                required=True,
                metavar='NAME=PATH',
                help='run folders, released models, stores',
            )
            sub.add_argument(
                '--checkpoint', default='best', help='best (validation loss), latest, or a step'
            )
            sub.add_argument(
                '--kind', help='melody, bass, drums or trio (default: that of the runs)'
            )
            sub.add_argument('--bars', type=command.positive, help='default: that of the runs')
            sub.add_argument('--pieces', type=command.positive, default=16, help='of each source')
            sub.add_argument(
                '--trials',
                type=command.positive,
                default=16,
                help='comparisons that a listener is asked for',
            )
            sub.add_argument('--temperature', type=float, default=1.0, help='of the samples')
            sub.add_argument('--qpm', type=float, default=120.0, help='tempo, quarters per minute')
            sub.add_argument('--seed', type=int, default=0, help='of pieces and of who hears what')
            sub.add_argument(
                '--host', default='127.0.0.1', help='0.0.0.0 to be reached from other machines'
            )
            sub.add_argument('--port', type=int, default=8000, help='0: any that is free')
        else:
            sub.add_argument('--out', type=Path, help='default: the folder of the answers file')
    sys.exit(command.run(lambda options: options.program(options), parser))
