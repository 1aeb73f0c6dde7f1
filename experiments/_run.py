"""Starts a command of mvae, or says in one line what to type where mvae is not installed."""

import sys


def run(command: str) -> None:
    try:
        from mvae.commands import main
    except ModuleNotFoundError as error:
        if (error.name or '').partition('.')[0] != 'mvae':
            raise
        words = 'make install, then .venv/bin/python ' + ' '.join(sys.argv)
        print(f'error: this Python has no mvae; type {words}', file=sys.stderr)
        sys.exit(2)
    sys.exit(main([command, *sys.argv[1:]]))
