"""Headers that keep everything foreign out of our pages, on every response."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
HEADERS = {
    'content-security-policy': '; '.join(_POLICY),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',  # browsers ask again before they show what they kept
}


class SecurityHeaders:
    """Middleware that adds `HEADERS`; a header that a response sets itself stays."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message['type'] == 'http.response.start':
                present = {name for name, _ in message['headers']}
                more = ((name.encode(), value.encode()) for name, value in HEADERS.items())
                message['headers'] += [pair for pair in more if pair[0] not in present]
            await send(message)

        await self.app(scope, receive, send_more)
