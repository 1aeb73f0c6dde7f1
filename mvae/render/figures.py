"""What all pictures share: colours, and a file with the same bytes every time."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from mvae.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of Okabe and Ito, told apart by colour-blind eyes too.
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9')
MARKERS = ('o', 's', '^', 'D', 'v', 'P')  # say the same in print


def save(path: str | Path, figure: 'Figure') -> None:
    """Writes a figure of matplotlib as PNG. Raises InputError where the file cannot be written.

    Names of files need not be text; what is none of it is shown as a question mark.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_text(text.get_text().encode(errors='replace').decode())
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, format='png', dpi=110, metadata={'Software': None})
    write_atomically(path, buffer.getvalue())
