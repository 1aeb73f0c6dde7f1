"""What our pages look like: one style sheet for what they have in common, and some of their own."""

from importlib import resources


def style(own: str = '') -> str:
    """The style sheet of all pages: colours for light and dark, type, buttons, cards, notices.

    own: a page of this package, whose own sheet stands behind it.
    """
    names = ['page.css', *([f'{own}.css'] if own else [])]
    return ''.join((resources.files('mvae.render') / name).read_text('utf-8') for name in names)
