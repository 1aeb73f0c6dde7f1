"""The answers of a listening test in one SQLite file.

Each answer is committed before it is acknowledged, whoever else is answering. The settings of the
test lie in the same file, so that answers of different tests cannot mix.
"""

import contextlib
import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from mvae.errors import InputError
from mvae.files import conform, parse_json

_APPLICATION = 0x6D766C74  # 'mvlt': says that a database is one of ours
_VERSION = 1
_SCHEMA = (
    'CREATE TABLE study (id INTEGER PRIMARY KEY CHECK (id = 1), about TEXT NOT NULL)',
    'CREATE TABLE listeners (number INTEGER PRIMARY KEY, token BLOB NOT NULL UNIQUE)',
    """CREATE TABLE answers (
        listener INTEGER NOT NULL REFERENCES listeners (number) ON DELETE CASCADE,
        trial INTEGER NOT NULL,
        answered TEXT NOT NULL,
        left_source TEXT NOT NULL, left_piece INTEGER NOT NULL,
        right_source TEXT NOT NULL, right_piece INTEGER NOT NULL,
        score INTEGER NOT NULL CHECK (score BETWEEN -2 AND 2),
        PRIMARY KEY (listener, trial)
    ) WITHOUT ROWID""",
    f'PRAGMA application_id = {_APPLICATION}',
    f'PRAGMA user_version = {_VERSION}',
)

_TABLES = {statement for statement in _SCHEMA if statement.startswith('CREATE')}

# FULL: on the disk at commit. secure_delete: withdrawn answers are overwritten.
_SETTINGS = 'PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON'
_FREE_NUMBER = """
    SELECT MIN(n) FROM (SELECT 0 n UNION SELECT number + 1 FROM listeners)
    WHERE n NOT IN (SELECT number FROM listeners)"""

MOST_LISTENERS = 10_000
# Who has not answered yet; by chance, or the newest would always be the next to go.
_IDLE = 'SELECT number FROM listeners WHERE number NOT IN (SELECT listener FROM answers)'
_IDLE += ' ORDER BY RANDOM() LIMIT 1'


class _Settings(msgspec.Struct):
    seed: Annotated[int, Meta(ge=0, lt=2**32)]
    trials: Annotated[int, Meta(ge=1, le=10_000)]
    pieces: Annotated[int, Meta(ge=1, le=100_000)]
    form: str
    bars: Annotated[int, Meta(ge=1, le=4096)]
    qpm: Annotated[float, Meta(ge=1, le=1000)]


class _About(msgspec.Struct):
    """What `begin_survey` is given."""

    settings: _Settings
    sounds: dict[str, list[Annotated[str, Meta(pattern='^[0-9a-f]{1,64}$')]]]
    pieces: dict[str, str] = {}
    instruments: str = ''

    def __post_init__(self) -> None:
        if any(len(names) != self.settings.pieces for names in self.sounds.values()):
            raise ValueError('sounds of another number of pieces')


class Answer(NamedTuple):
    """What one listener said of one trial.

    score: 2 the left piece (A) clearly, 1 a little, 0 neither, -1 and -2 the right one (B).

    answered: UTC, ISO 8601, to the second.
    """

    listener: int
    trial: int
    answered: str
    left_source: str
    left_piece: int
    right_source: str
    right_piece: int
    score: int


class NotNext(Exception):
    """An answer to a trial that is not the listener's next: answered already, or not reached."""


class Full(Exception):
    """There are MOST_LISTENERS, and all of them have answered."""


class Answers:
    """An answers file.

    Methods may be called from any thread; each opens a connection of its own.

    Raises InputError where the file is not one of ours, is damaged or cannot be written; or with
    create=False where there is none.
    """

    def __init__(self, path: str | Path, create: bool = False):
        self.path = Path(path)
        if not create and not os.path.exists(self.path):
            raise InputError(f'{path} does not exist; mvae listen serve makes it')
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f'cannot write {path}: {error.strerror}') from None
        if create:
            self._create()
        with self._connect() as db:
            marks = [
                db.execute(f'PRAGMA {name}').fetchone()[0]
                for name in ('application_id', 'user_version')
            ]
            tables = {row[0] for row in db.execute('SELECT sql FROM sqlite_master') if row[0]}
            # A view in place of a table could go on for ever, a trigger do anything.
            if marks != [_APPLICATION, _VERSION] or tables != _TABLES:
                raise InputError(
                    f'{path} is no answers file of this mvae; name another with --answers'
                )
            if db.execute('PRAGMA quick_check').fetchone()[0] != 'ok':
                raise sqlite3.DatabaseError('it is damaged')

    def _create(self) -> None:
        """Tables, in a database that is still empty: two servers may start at once."""
        with contextlib.suppress(OSError):  # which sqlite says better; its log has the same mode
            os.close(os.open(self.path, os.O_CREAT | os.O_NONBLOCK, 0o600))
        with self._connect() as db:
            if _is_empty(db):
                db.execute('PRAGMA journal_mode = WAL')
        with self._transaction() as db:
            for statement in _SCHEMA * _is_empty(db):
                db.execute(statement)

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """A connection that commits every statement by itself, and whose errors are a user's."""
        try:
            connection = sqlite3.connect(self.path, timeout=20, isolation_level=None)
            with contextlib.closing(connection) as db:
                db.executescript(_SETTINGS)
                yield db
        except sqlite3.Error as error:
            raise InputError(
                f'cannot use {self.path} as answers file: {error}; name another with --answers'
            ) from None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, one at a time; on the disk when it ends."""
        with self._connect() as db:
            db.execute('BEGIN IMMEDIATE')
            try:
                yield db
            except BaseException:
                db.execute('ROLLBACK')
                raise
            db.execute('COMMIT')

    def survey(self) -> dict[str, Any] | None:
        """What the listening test is, None where no one has said so yet."""
        with self._connect() as db:
            row = db.execute('SELECT about FROM study').fetchone()
        return self._parse(row[0]) if row else None

    def begin_survey(self, about: dict[str, Any]) -> dict[str, Any]:
        """Says what the listening test is, unless somebody did before; returns what holds."""
        with self._connect() as db:
            db.execute('INSERT OR IGNORE INTO study VALUES (1, ?)', (json.dumps(about),))
            (kept,) = db.execute('SELECT about FROM study').fetchone()
        return self._parse(kept)

    def _parse(self, about: str) -> dict[str, Any]:
        parsed = parse_json(about, dict[str, Any], self.path)
        conform(parsed, _About, self.path)
        return parsed

    def add_listener(self) -> str:
        """A new listener's token, a secret of theirs; only its hash is kept.

        They take the first number that is free, so that no design is left out; where none is, that
        of one who has not answered yet. Raises Full.
        """
        token = secrets.token_urlsafe(32)
        with self._transaction() as db:
            (count,) = db.execute('SELECT COUNT(*) FROM listeners').fetchone()
            if count >= MOST_LISTENERS:
                gone = db.execute(f'DELETE FROM listeners WHERE number = ({_IDLE})').rowcount
                if not gone:
                    raise Full
            db.execute(f'INSERT INTO listeners VALUES (({_FREE_NUMBER}), ?)', (_hash(token),))
        return token

    def listener(self, token: str) -> int | None:
        """The number of the listener with this token, None where nobody has it."""
        with self._connect() as db:
            row = db.execute(
                'SELECT number FROM listeners WHERE token = ?', (_hash(token),)
            ).fetchone()
        return row[0] if row else None

    def next_trial(self, listener: int) -> int:
        """The number of the first trial that they have not answered.

        Trials are answered in their order.
        """
        with self._connect() as db:
            return _count(db, listener)

    def record(self, token: str, answer: Answer) -> None:
        """Keeps one answer; on return it is on the disk.

        Raises NotNext where it is not to the listener's next trial, or they have withdrawn.
        """
        with self._transaction() as db:
            known = db.execute(
                'SELECT 1 FROM listeners WHERE number = ? AND token = ?',
                (answer.listener, _hash(token)),
            ).fetchone()
            if not known or answer.trial != _count(db, answer.listener):
                raise NotNext
            db.execute('INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)', answer)

    def withdraw(self, token: str) -> None:
        """Deletes a listener with all their answers, from the log of recent changes too."""
        with self._connect() as db:
            db.execute('DELETE FROM listeners WHERE token = ?', (_hash(token),))
            db.execute('PRAGMA wal_checkpoint(TRUNCATE)')

    def all(self) -> list[Answer]:
        """Every answer, by listener and trial."""
        with self._connect() as db:
            rows = db.execute('SELECT * FROM answers ORDER BY listener, trial').fetchall()
        return conform(rows, list[Answer], self.path)

    def listeners(self) -> int:
        """How many have begun."""
        with self._connect() as db:
            return db.execute('SELECT COUNT(*) FROM listeners').fetchone()[0]


def now() -> str:
    """The time as `Answer.answered`."""
    return datetime.now(UTC).isoformat(timespec='seconds')


def _is_empty(db: sqlite3.Connection) -> bool:
    return not db.execute('SELECT COUNT(*) FROM sqlite_master').fetchone()[0]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _count(db: sqlite3.Connection, listener: int) -> int:
    return db.execute('SELECT COUNT(*) FROM answers WHERE listener = ?', (listener,)).fetchone()[0]
