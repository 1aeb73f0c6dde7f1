"""setup.cfg says what the code is: its packages, what it imports, and who may import whom."""

import ast
import configparser
import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / 'setup.cfg')


def _lines(section, name):
    return SETUP[section][name].split('\n')[1:]


def _name(requirement):
    return re.match(r'[\w-]+', requirement)[0].lower().replace('-', '_')


def _imported(folder):
    """Top-level names that the files below a folder import, wherever in them."""
    found = set()
    for path in folder.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(node.module.partition('.')[0])
    return found - set(sys.stdlib_module_names) - {'mvae'}


def test_every_package_is_in_the_wheel():
    there = {
        str(path.parent.relative_to(ROOT)).replace('/', '.')
        for path in (ROOT / 'mvae').rglob('*.py')
    }
    assert set(_lines('options', 'packages')) == there | {'mvae.experiments'}
    folders = dict(line.split(' = ') for line in _lines('options', 'package_dir'))
    assert (ROOT / folders['mvae.experiments'] / 'trio16.py').is_file()


def test_what_is_imported_is_declared_and_no_more():
    declared = set(map(_name, _lines('options', 'install_requires')))
    for extra in ('beam', 'demo', 'hub', 'listen', 'onnx'):
        declared |= set(map(_name, SETUP['options.extras_require'][extra].split()))
    packages = metadata.packages_distributions()
    # What is not installed here is taken to be called as it is imported.
    imported = {_name(packages.get(x, [x])[0]) for x in _imported(ROOT / 'mvae')}
    assert declared == imported


def test_every_module_has_a_floor():
    contract = SETUP['importlinter:contract:floors']
    floors = {name for line in _lines('importlinter:contract:floors', 'layers')
              for name in line.replace('|', ' ').split()}  # fmt: skip
    there = {
        path.stem
        for path in (ROOT / 'mvae').iterdir()
        if path.suffix == '.py' or list(path.glob('*.py'))
    }
    assert floors == there - {'__init__'} and contract['exhaustive'] == 'True'


def test_no_program_hides_an_installed_package():
    """Python looks beside the program first, and orbax imports a package `humanize`, say."""
    programs = {path.stem for path in (ROOT / 'experiments').glob('[!_]*.py')}
    assert not programs & set(metadata.packages_distributions())


def test_nothing_in_mvae_imports_a_program():
    programs = {path.stem for path in (ROOT / 'experiments').glob('*.py')}
    programs |= {path.stem for path in (ROOT / 'benchmarks').glob('*.py')}
    assert not _imported(ROOT / 'mvae') & programs
