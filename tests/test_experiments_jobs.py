"""The job files: what their commands are, and trainings under stand-ins of launchers.

A stand-in of srun starts the tasks of a job on this machine, one of gcloud notes what it is told.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest
import yaml
from jax._src.clusters import cloud_tpu_cluster
from midi_maker import song

from mvae.commands import experiments, parser_of
from mvae.dataset.build import BuildSettings, build_store
from mvae.music.extract import ExtractSettings
from mvae.training import processes

ROOT = Path(__file__).parents[1]
JOBS = ROOT / 'experiments' / 'jobs'
_FIRST_PORT = 65536 - 4096  # of those among which jax chooses by the number of a job

_SRUN = """#!/usr/bin/env bash
while [[ $1 == --* ]]; do shift; done
export SLURM_STEP_NODELIST=127.0.0.1 SLURM_STEP_NUM_NODES=1
for n in $(seq 0 $((SLURM_NTASKS - 1))); do
  SLURM_PROCID=$n SLURM_LOCALID=$n "$@" & echo $! >> tasks
done
code=0
for task in $(jobs -p); do wait "$task" || code=$?; done
exit "$code"
"""
_RECORD = """#!/usr/bin/env bash
printf '%q ' "$@" >> {log}; echo >> {log}
"""


def _program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder, out = tmp_path_factory.mktemp('midi'), tmp_path_factory.mktemp('data') / 'store'
    for n in range(40):
        name = f'song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid'
        (folder / name).write_bytes(song(seed=n))
    build_store(folder, out, BuildSettings(ExtractSettings()), 1)
    return out


@pytest.fixture
def cluster(tmp_path):
    """The environment of a job of two tasks, in a folder where mvae is installed."""
    mvae = f'#!/bin/sh\nexec {sys.executable} -m mvae "$@"\n'
    _program(tmp_path / '.venv/bin/mvae', mvae)
    _program(tmp_path / 'bin/srun', _SRUN)
    _program(tmp_path / 'bin/scontrol', _RECORD.format(log=tmp_path / 'scontrol.log'))
    path = f'{tmp_path / "bin"}:{os.environ["PATH"]}'
    python = f'{ROOT}:{os.environ.get("PYTHONPATH", "")}'
    return {**os.environ, 'PATH': path, 'PYTHONPATH': python, 'JAX_PLATFORMS': 'cpu'}


def _free_port(first=0, last=0):
    for port in range(first, last + 1):
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise OSError('no free port')


def _start_job(environment, folder, *arguments):
    job = _free_port(_FIRST_PORT + 100, 65535) - _FIRST_PORT
    slurm = {'SLURM_JOB_ID': str(job), 'SLURM_NTASKS': '2'}
    tiny = ['--exp', 'mel2', '--scale', 'tiny', *map(str, arguments)]
    return subprocess.Popen(
        ['bash', JOBS / 'slurm.sbatch', *tiny],
        cwd=folder,
        env=environment | slurm,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _train(*arguments, environment=None):
    command = [sys.executable, '-m', 'mvae', 'train', '--exp', 'mel2', '--scale', 'tiny']
    return subprocess.run(
        [*command, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )


def _steps(run):
    return sorted(int(p.name) for p in (run / 'checkpoints').glob('[0-9]*') if p.name.isdigit())


def _params(run, step):
    path = run.absolute() / 'checkpoints' / str(step) / 'params'
    return jax.tree.leaves(ocp.StandardCheckpointer().restore(path))


def _wait(what, process=None, seconds=150):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end and (process is None or process.poll() is None):
        time.sleep(0.05)


@pytest.mark.slow
def test_two_tasks_of_slurm_are_one_training(data, cluster, tmp_path):
    job = _start_job(cluster, tmp_path, '--data', data, '--run', tmp_path / 'two', '--steps', 10)
    out, said = job.communicate(timeout=300)
    assert job.returncode == 0 and '2 x cpu in 2 processes' in out, said
    alone = _train('--data', data, '--run', tmp_path / 'one', '--steps', 10)
    assert alone.returncode == 0, alone.stderr
    for x, y in zip(_params(tmp_path / 'one', 10), _params(tmp_path / 'two', 10), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)
    assert not (tmp_path / 'scontrol.log').exists()


@pytest.mark.slow
def test_a_job_of_slurm_that_is_stopped_saves_and_is_queued_again(data, cluster, tmp_path):
    run = tmp_path / 'run'
    job = _start_job(cluster, tmp_path, '--data', data, '--run', run, '--steps', 100_000)
    _wait(lambda: (run / 'checkpoints/10').exists(), job)
    for task in (tmp_path / 'tasks').read_text().split():  # as --signal=TERM does
        os.kill(int(task), signal.SIGTERM)
    _, said = job.communicate(timeout=100)
    assert job.returncode == 143 and 'the same command goes on' in said
    assert (tmp_path / 'scontrol.log').read_text().startswith('requeue ')
    (*_, step) = _steps(run)
    again = _start_job(cluster, tmp_path, '--data', data, '--run', run, '--steps', step + 5)
    out, said = again.communicate(timeout=300)
    assert again.returncode == 0 and f'from step {step}' in out, said


@pytest.mark.slow
def test_processes_that_are_started_again_whenever_they_end_get_through(data, tmp_path):
    """As pods are: one is killed, the others end by themselves, and all of them come back."""
    run, address = tmp_path / 'run', f'127.0.0.1:{_free_port(20_000, 30_000)}'
    arguments = f'--exp mel2 --scale tiny --data {data} --run {run} --steps 400 --patience 10'
    loop = f'until {sys.executable} -m mvae train {arguments} & echo $! > $ME; wait $!; do :; done'
    pods = []
    for n in (0, 1):
        pod = {'MVAE_COORDINATOR': address, 'MVAE_PROCESSES': '2', 'MVAE_PROCESS': str(n)}
        environment = os.environ | pod | {'ME': str(tmp_path / f'pid{n}'), 'JAX_PLATFORMS': 'cpu'}
        said = (tmp_path / f'log{n}').open('w')
        pods.append(
            subprocess.Popen(['bash', '-c', loop], env=environment, stdout=said, stderr=said)
        )
    _wait(lambda: (run / 'checkpoints/10').exists(), pods[0])
    os.kill(int((tmp_path / 'pid1').read_text()), signal.SIGKILL)
    try:
        assert [pod.wait(400) for pod in pods] == [0, 0], (tmp_path / 'log0').read_text()[-2000:]
    finally:
        for n, pod in enumerate(pods):
            if pod.poll() is None:
                pod.kill()
                os.kill(int((tmp_path / f'pid{n}').read_text()), signal.SIGKILL)
    assert _steps(run)[-1] == 400
    assert (tmp_path / 'log0').read_text().count('; from step ') > 1, 'it went on'


def _options(words):
    """What `mvae train` makes of them, with an experiment that there is."""
    options = parser_of('train')[1].parse(words)
    experiments.load(options.exp, options.variant, 'paper')
    return options


def test_the_pods_of_the_job_find_each_other_and_run_a_command_of_ours():
    service, job = yaml.safe_load_all((JOBS / 'kubernetes.yaml').read_text())
    name, spec = job['metadata']['name'], job['spec']
    pod = spec['template']['spec']
    (container,) = pod['containers']
    assert container['command'] == ['mvae', 'train'] and _options(container['args']).exp == 'trio16'
    variables = {variable['name']: variable for variable in container['env']}
    assert set(variables) == set(processes._VARIABLES)
    assert spec['completionMode'] == 'Indexed'
    assert {spec['completions'], spec['parallelism']} == {int(variables['MVAE_PROCESSES']['value'])}
    assert (
        service['spec']['clusterIP'] == 'None' and pod['subdomain'] == service['metadata']['name']
    )
    assert service['spec']['selector'] == {'job-name': name}
    host, _, port = variables['MVAE_COORDINATOR']['value'].partition(':')
    assert host == f'{name}-0.{service["metadata"]["name"]}' and port.isdigit()
    mounts = {mount['mountPath'] for mount in container['volumeMounts']}
    options = _options(container['args'])
    assert {f'/{path.parts[1]}' for path in (options.data, options.run)} == mounts


@pytest.mark.skipif(not (ROOT / '.git').exists(), reason='no git checkout')
def test_the_script_of_tpu_slices_calls_gcloud(tmp_path):
    log = tmp_path / 'log'
    _program(tmp_path / 'bin/gcloud', _RECORD.format(log=log))
    names = {'NAME': 'mine', 'ZONE': 'here', 'TYPE': 'v5litepod-16', 'VERSION': 'some'}
    environment = {'PATH': f'{tmp_path / "bin"}:{os.environ["PATH"]}', **names}
    train = ['train', '--exp', 'trio16', '--run', 'gs://bucket/my trio']
    for words in (['create'], ['install', 'data/mine'], train, ['log'], ['stop'], ['delete']):
        done = subprocess.run(
            ['bash', JOBS / 'tpu_vm.sh', *words], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    calls = [shlex.split(line) for line in log.read_text().splitlines()]
    assert all(
        call[:3] == ['compute', 'tpus', 'tpu-vm'] and '--zone=here' in call for call in calls
    )
    assert [call[3] for call in calls] == [
        'create', 'scp', 'ssh', 'scp', 'ssh', 'ssh', 'ssh', 'delete',
    ]  # fmt: skip
    assert {'mine', '--spot', '--accelerator-type=v5litepod-16'} <= set(calls[0])
    everywhere = [calls[n] for n in (1, 2, 3, 4, 6)]
    assert all('--worker=all' in call for call in everywhere)
    (command,) = [word for word in calls[4] if word.startswith('--command=')]
    words = shlex.split(command.removeprefix('--command='))
    options = _options(words[words.index('train') + 1 : words.index('>>')])
    assert options.exp == 'trio16' and str(options.run) == 'gs:/bucket/my trio'
    unknown = subprocess.run(['bash', JOBS / 'tpu_vm.sh', 'reset'], env=environment)
    assert unknown.returncode == 2 and len(log.read_text().splitlines()) == len(calls)


@pytest.mark.parametrize('hosts', [1, 4])
def test_hosts_of_a_slice_are_known_from_the_metadata_of_their_machine(hosts, monkeypatch):
    metadata = {
        'agent-worker-number': '0',
        'worker-network-endpoints': ','.join(f'host-{n}' for n in range(hosts)),
        'tpu-env': "ACCELERATOR_TYPE: 'v5litepod-16'",
    }
    monkeypatch.setattr(cloud_tpu_cluster, 'running_in_cloud_tpu_vm', True)
    monkeypatch.setattr(cloud_tpu_cluster, 'get_metadata', lambda key: (metadata[key], 200))
    monkeypatch.delenv('TPU_SKIP_MDS_QUERY', raising=False)
    assert processes._under_a_launcher({}) is (hosts > 1)
