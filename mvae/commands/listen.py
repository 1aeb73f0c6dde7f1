"""The listening test of the paper (section 5.4): which of two pieces is more musical?

    mvae listen serve --runs data=data/mine flat=runs/mel16-hierenc hierarchical=runs/mel16-hier
    mvae listen analyse

serve shows a web page that plays pairs of pieces from different sources and asks. A source is a
model (new pieces) or a dataset (windows of its test split). Sounds are rendered once, beside the
answers file; the same command goes on where it was stopped. analyse writes listening.json, wins.png
and answers.csv: wins and mean scores with 95% intervals, Kruskal-Wallis, Wilcoxon signed-rank
between pairs.
"""

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvae.commands import compute
from mvae.commands.options import add_checkpoint, add_programs, need, positive
from mvae.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from mvae.listening.sources import Place
    from mvae.music.form import Form

_ANSWERS = Path('runs/listening/answers.sqlite')


def add_options(parser: argparse.ArgumentParser) -> None:
    parsers = add_programs(
        parser,
        {
            'serve': (serve, 'play pairs of pieces on a web page, and ask'),
            'analyse': (analyse, 'wins, mean scores and tests'),
        },
    )
    for sub in parsers.values():
        sub.add_argument(
            '--answers', type=Path, default=_ANSWERS, help=f'SQLite file (default: {_ANSWERS})'
        )
    _add_serve_options(parsers['serve'])
    parsers['analyse'].add_argument(
        '--out', type=Path, help='default: the folder of the answers file'
    )


def _add_serve_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--runs',
        nargs='+',
        required=True,
        metavar='NAME=PATH',
        help='run folders, released models, datasets',
    )
    add_checkpoint(parser)
    parser.add_argument('--form', help='such as melody or trio (default: that of the runs)')
    parser.add_argument('--bars', type=positive, help='default: that of the runs')
    parser.add_argument('--pieces', type=positive, default=16, help='of each source')
    parser.add_argument(
        '--trials', type=positive, default=16, help='comparisons that a listener is asked for'
    )
    parser.add_argument('--temperature', type=float, default=1.0, help='of the samples')
    parser.add_argument('--qpm', type=float, default=120.0, help='tempo, quarters per minute')
    parser.add_argument('--seed', type=int, default=0, help='of pieces and of who hears what')
    parser.add_argument(
        '--host', default='127.0.0.1', help='0.0.0.0 to be reached from other machines'
    )
    parser.add_argument(
        '--names',
        nargs='+',
        default=(),
        help='of the server, where listeners use another than its own',
    )
    parser.add_argument('--port', type=int, default=8000, help='0: any that is free')


def run(options: argparse.Namespace) -> None:
    options.program(options)


def serve(options: argparse.Namespace) -> None:
    if not 0 <= options.seed < 2**32:
        raise InputError(f'a seed lies in 0..{2**32 - 1}, not at {options.seed}')
    need('listen', 'starlette', 'uvicorn')
    from mvae.checks import check_qpm
    from mvae.listening.answers import Answers
    from mvae.listening.sources import locate
    from mvae.listening.survey import open_survey
    from mvae.listening.web import make_app
    from mvae.web import server

    check_qpm(options.qpm)
    compute.prepare()
    places, form = locate(options.runs, options.form, options.bars, options.checkpoint)
    names = ('trials', 'pieces', 'seed', 'temperature', 'qpm', 'checkpoint')
    settings = {name: getattr(options, name) for name in names} | {
        'form': form.name,
        'bars': form.bars,
        'sources': {name: str(place.path.resolve()) for name, place in places.items()},
    }
    with contextlib.closing(server.bind(options.host, options.port)) as listening:
        answers = Answers(options.answers, create=True)
        survey = open_survey(answers, form, settings, lambda: _pieces(places, form, settings))
        where = server.address(listening)
        print(f'listening test of {", ".join(survey.sources)} on {where}', flush=True)
        print(f'answers go to {options.answers}; Ctrl-C ends it', flush=True)
        server.run(make_app(answers, survey, options.names), listening)
    count, listeners = len(answers.all()), answers.listeners()
    print(f'ended; {count} answers of {listeners} listeners in {options.answers}')


def _pieces(
    places: 'dict[str, Place]', form: 'Form', settings: dict[str, Any]
) -> dict[str, 'np.ndarray']:
    from mvae.dataset.store import Store
    from mvae.listening.sources import draw_windows
    from mvae.runs.load import load

    count, seed = settings['pieces'], settings['seed']
    pieces = {}
    for name, place in places.items():
        if place.is_store:
            store = Store.open(place.path)
            pieces[name] = draw_windows(store, form, count, seed)
        else:
            model = load(place.path, settings['checkpoint'])
            pieces[name], _ = model.sample_tokens(count, settings['temperature'], seed)
    return pieces


def analyse(options: argparse.Namespace) -> None:
    from mvae.files import write_json
    from mvae.listening.analysis import analyse
    from mvae.listening.answers import Answers
    from mvae.listening.report import draw_wins, to_text, write_csv

    file = Answers(options.answers)
    survey, answers = file.survey(), file.all()
    if survey is None:
        raise InputError(f'{options.answers} holds no listening test; mvae listen serve begins one')
    settings = survey['settings']
    result = analyse(answers, list(survey['sounds']))
    counts: dict[int, int] = {}
    for answer in answers:
        counts[answer.listener] = counts.get(answer.listener, 0) + 1
    finished = sum(count == settings['trials'] for count in counts.values())
    result = {'settings': settings, 'finished': finished} | result
    print(
        f'{result["comparisons"]} comparisons by {result["listeners"]} listeners, {finished} of '
        f'whom finished\n\n{to_text(result)}'
    )
    out = options.out or options.answers.parent
    write_json(out / 'listening.json', result)
    draw_wins(out / 'wins.png', result, f'{settings["bars"]}-bar {settings["form"]}')
    write_csv(out / 'answers.csv', answers)
    print(f'\nlistening.json, wins.png and answers.csv in {out}')
