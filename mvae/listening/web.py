"""The study as a web application: a page, the sounds, and answers taken for whoever holds a
listener's cookie.

The server alone decides which trial is next, and what a trial plays; the page learns names of
sounds that say nothing.

    GET  /state     what to show: {page: 'consent'}, {page: 'trial', trial, a, b} or {page: 'end'}, each with the study's trials and seconds
    POST /begin     {}: a new listener, who gets his cookie; the state
    POST /answer    {trial, score}: 2 the left piece (A) clearly ... -2 the right one; the next state
    POST /withdraw  {}: deletes the listener and his answers

What is refused is answered by {error} with a status of 400 and above, and changes nothing.
"""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mvae.errors import InputError
from mvae.listening.answers import Answer, Answers, NotNext, now
from mvae.listening.study import Study

COOKIE = 'listener'
_COOKIE_SECONDS = 90 * 24 * 3600
_MOST_BYTES = 1000  # of a request's body
_PAGE = Path(__file__).parent / 'page'
_HEADERS = {
    'content-security-policy': "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
}


def make_app(answers: Answers, study: Study) -> Starlette:
    """The application; pieces must have been rendered."""
    known = {name for names in study.sounds.values() for name in names}

    async def state(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(_state, request.cookies.get(COOKIE, '')))

    def _state(token: str) -> dict[str, Any]:
        about = {'trials': study.settings['trials'], 'seconds': study.seconds}
        listener = answers.listener(token)
        if listener is None:
            return {'page': 'consent', **about}
        number = answers.next_trial(listener)
        if number >= study.settings['trials']:
            return {'page': 'end', **about}
        left, right = study.trials(listener)[number]
        return {
            'page': 'trial',
            **about,
            'trial': number,
            'a': study.name(left),
            'b': study.name(right),
        }

    async def begin(request: Request) -> Response:
        await _body(request)
        token = request.cookies.get(COOKIE, '')
        if await run_in_threadpool(answers.listener, token) is None:
            token = await run_in_threadpool(answers.add_listener)
        response = JSONResponse(await run_in_threadpool(_state, token))
        secure = request.url.scheme == 'https'
        response.set_cookie(
            COOKIE, token, _COOKIE_SECONDS, httponly=True, samesite='strict', secure=secure
        )
        return response

    async def answer(request: Request) -> Response:
        body, token = await _body(request), request.cookies.get(COOKIE, '')
        trial, score = body.get('trial'), body.get('score')
        if type(trial) is not int or type(score) is not int or not -2 <= score <= 2:
            raise HTTPException(422, 'an answer has the number of a trial and a score from -2 to 2')
        await run_in_threadpool(_record, token, trial, score)
        return JSONResponse(await run_in_threadpool(_state, token))

    def _record(token: str, trial: int, score: int) -> None:
        listener = answers.listener(token)
        if listener is None:
            raise HTTPException(401, 'this browser has not begun the test, or has withdrawn')
        if not 0 <= trial < study.settings['trials']:
            raise HTTPException(409, 'there is no such comparison')
        sides = study.trials(listener)[trial]
        pieces = [value for source, piece in sides for value in (study.sources[source], piece)]
        try:
            answers.record(token, Answer(listener, trial, now(), *pieces, score))
        except NotNext:
            raise HTTPException(
                409, 'this comparison is answered already, or not reached yet'
            ) from None

    async def withdraw(request: Request) -> Response:
        await _body(request)
        await run_in_threadpool(answers.withdraw, request.cookies.get(COOKIE, ''))
        response = JSONResponse({'page': 'withdrawn'})
        response.delete_cookie(COOKIE, httponly=True, samesite='strict')
        return response

    async def sound(request: Request) -> Response:
        name = request.path_params['name']
        if name not in known:
            raise HTTPException(404, 'there is no such sound')
        return FileResponse(
            study.sound(name),
            media_type='audio/wav',
            headers={'cache-control': 'private, max-age=86400'},
        )

    routes = [Route('/state', state), Route('/sounds/{name}', sound)]
    routes += [
        Route(f'/{action.__name__}', action, methods=['POST'])
        for action in (begin, answer, withdraw)
    ]
    routes += [Mount('/', StaticFiles(directory=_PAGE, html=True))]
    return Starlette(
        routes=routes,
        middleware=[Middleware(_Headers)],
        exception_handlers={HTTPException: _refuse, InputError: _fail},
    )


async def _body(request: Request) -> dict[str, Any]:
    """A small JSON object, sent by our own page.

    Other sites' forms cannot send JSON, and their scripts would have to name their origin.
    """
    origin = request.headers.get('origin')
    if origin is not None and urlsplit(origin).netloc != request.headers.get('host'):
        raise HTTPException(403, 'answers are taken from the page of this server alone')
    if (
        request.headers.get('content-type', '').partition(';')[0].strip().lower()
        != 'application/json'
    ):
        raise HTTPException(415, 'send application/json')
    content = b''
    async for part in request.stream():
        content += part
        if len(content) > _MOST_BYTES:
            raise HTTPException(413, 'this is too long for an answer')
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, 'send a JSON object')
    return body


async def _refuse(request: Request, error: Exception) -> Response:
    return JSONResponse({'error': error.detail}, error.status_code)


async def _fail(request: Request, error: Exception) -> Response:
    """The answers file cannot be used just now: the listener may try again, whoever runs the study
    is told why.
    """
    print(f'error: {error}', file=sys.stderr, flush=True)
    return JSONResponse({'error': 'the answers cannot be kept at the moment; try again later'}, 503)


class _Headers:
    """Headers that keep everything foreign out of the page, on every response; nothing but sounds
    is kept without asking again.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message['type'] == 'http.response.start':
                present = {name for name, _ in message['headers']}
                more = {**_HEADERS, 'cache-control': 'no-cache'}
                message['headers'] += [
                    (k.encode(), v.encode()) for k, v in more.items() if k.encode() not in present
                ]
            await send(message)

        await self.app(scope, receive, send_more)
