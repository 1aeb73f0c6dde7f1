"""What all our pages look like: one style sheet, for what they have in common."""

from importlib import resources


def style() -> str:
    """The style sheet: colours for light and dark, type, buttons, cards, notices."""
    return (resources.files('mvae.render') / 'page.css').read_text('utf-8')
