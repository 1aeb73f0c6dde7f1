"""The tutorial's cells run in their order, as they stand, and what they show shows itself."""

import json
import subprocess
import sys
from pathlib import Path

NOTEBOOK = Path(__file__).parents[1] / 'docs' / 'tutorial.ipynb'
# Runs cells as a kernel does: a last line that is an expression is shown, unless ; ends it.
RUN = """
import ast, json, sys

def run(source, names):
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, 'cell', 'exec'), names)
    if last is None:
        return
    value = eval(compile(ast.Expression(last.value), 'cell', 'eval'), names)
    if not source.rstrip().endswith(';'):
        print(len(getattr(value, '_repr_html_', value.__repr__)()), 'shown')
    elif value != 0:
        sys.exit(f'a command ended with {value}: {source}')

names = {'__name__': '__main__'}
for cell in json.load(sys.stdin)['cells']:
    if cell['cell_type'] == 'code':
        run(''.join(cell['source']), names)
"""


def test_it_runs_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.setenv('MVAE_SOUNDFONT', 'none')
    command = [sys.executable, '-c', RUN]
    done = subprocess.run(
        command, input=NOTEBOOK.read_text(), capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count(' shown') == 7, done.stdout
    assert (tmp_path / 'tutorial/run/evaluation-test.json').exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ['tutorial']


def test_it_is_small_and_holds_no_results_of_a_machine():
    text = NOTEBOOK.read_text()
    cells = json.loads(text)['cells']
    assert len(text) < 20_000 and all(not cell.get('outputs') for cell in cells)
    assert max(len(line) for cell in cells for line in cell['source']) <= 101
