"""The listening test as a web application: a page, the sounds, and what listeners answer.

Whoever holds a listener's cookie answers for them. The server alone decides which trial is next,
and what a trial plays; the page learns names of sounds that say nothing.

    GET  /state     what to show: {page: 'consent'}, {page: 'trial', trial, a, b} or {page: 'end'},
                    each with the test's trials and seconds
    POST /begin     {}: a new listener, who gets their cookie; the state
    POST /answer    {trial, score}: 2 the left piece (A) clearly ... -2 the right one;
                    the next state
    POST /withdraw  {}: deletes the listener and their answers

What is refused is answered by {error} with a status of 400 and above, and changes nothing.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mvae.listening.answers import Answer, Answers, Full, NotNext, now
from mvae.listening.survey import Survey
from mvae.render.looks import style
from mvae.web.app import build_app
from mvae.web.body import read_json

COOKIE = 'listener'
_COOKIE_SECONDS = 90 * 24 * 3600
_PAGE = Path(__file__).parent / 'page'
_APOLOGY = 'the answers cannot be kept at the moment; try again later'
_KEPT_A_DAY = {'cache-control': 'private, max-age=86400'}


def make_app(answers: Answers, survey: Survey, names: Collection[str] = ()) -> Starlette:
    """The application; pieces must have been rendered. names: see `build_app`."""
    page = _Page(answers, survey)
    routes = [
        Route('/state', page.state),
        Route('/sounds/{name}', page.sound),
        Route('/page.css', _style),
        Route('/begin', page.begin, methods=['POST']),
        Route('/answer', page.answer, methods=['POST']),
        Route('/withdraw', page.withdraw, methods=['POST']),
        Mount('/', StaticFiles(directory=_PAGE, html=True)),
    ]
    return build_app(routes, _APOLOGY, names)


class _Page:
    """What the addresses answer. Whatever touches the answers file runs in a thread."""

    def __init__(self, answers: Answers, survey: Survey):
        self._answers, self._survey = answers, survey
        self._known = {name for names in survey.sounds.values() for name in names}

    async def state(self, request: Request) -> Response:
        return await self._state(_token(request))

    async def begin(self, request: Request) -> Response:
        await read_json(request)
        token = _token(request)
        if await run_in_threadpool(self._answers.listener, token) is None:
            token = await run_in_threadpool(self._add_listener)
        response = await self._state(token)
        secure = request.url.scheme == 'https'
        response.set_cookie(
            COOKIE, token, _COOKIE_SECONDS, httponly=True, samesite='strict', secure=secure
        )
        return response

    async def answer(self, request: Request) -> Response:
        body, token = await read_json(request), _token(request)
        trial, score = body.get('trial'), body.get('score')
        if type(trial) is not int or type(score) is not int or not -2 <= score <= 2:
            raise HTTPException(422, 'an answer has the number of a trial and a score from -2 to 2')
        await run_in_threadpool(self._record, token, trial, score)
        return await self._state(token)

    async def withdraw(self, request: Request) -> Response:
        await read_json(request)
        await run_in_threadpool(self._answers.withdraw, _token(request))
        response = JSONResponse({'page': 'withdrawn'})
        response.delete_cookie(COOKIE, httponly=True, samesite='strict')
        return response

    async def sound(self, request: Request) -> Response:
        name = request.path_params['name']
        if name not in self._known:
            raise HTTPException(404, 'there is no such sound')
        file = self._survey.sound(name)
        return FileResponse(file, media_type='audio/wav', headers=_KEPT_A_DAY)

    async def _state(self, token: str) -> Response:
        return JSONResponse(await run_in_threadpool(self._show, token))

    def _show(self, token: str) -> dict[str, Any]:
        trials = self._survey.settings['trials']
        about = {'trials': trials, 'seconds': self._survey.seconds}
        listener = self._answers.listener(token)
        if listener is None:
            return {'page': 'consent', **about}
        number = self._answers.next_trial(listener)
        if number >= trials:
            return {'page': 'end', **about}
        left, right = map(self._survey.name, self._survey.trials(listener)[number])
        return {'page': 'trial', **about, 'trial': number, 'a': left, 'b': right}

    def _add_listener(self) -> str:
        try:
            return self._answers.add_listener()
        except Full:
            raise HTTPException(503, 'there are as many listeners as this test takes') from None

    def _record(self, token: str, trial: int, score: int) -> None:
        listener = self._answers.listener(token)
        if listener is None:
            raise HTTPException(401, 'this browser has not begun the test, or has withdrawn')
        if not 0 <= trial < self._survey.settings['trials']:
            raise HTTPException(409, 'there is no such comparison')
        left, right = self._survey.trials(listener)[trial]
        answer = Answer(
            listener,
            trial,
            now(),
            self._survey.sources[left.source],
            left.piece,
            self._survey.sources[right.source],
            right.piece,
            score,
        )
        try:
            self._answers.record(token, answer)
        except NotNext:
            reason = 'this comparison is answered already, or not reached yet'
            raise HTTPException(409, reason) from None


async def _style(request: Request) -> Response:
    return Response(style(), media_type='text/css')


def _token(request: Request) -> str:
    return request.cookies.get(COOKIE, '')
