"""The tiny picture of a customer's scores."""

from collections.abc import Sequence

from django.utils.html import escape
from django.utils.safestring import SafeString

from recovery.pictures.paper import as_markup, n
from surveys.scoring import Scale, band


def sparkline_svg(scores: Sequence[int], scale: Scale, title: str = "") -> SafeString:
    """A customer's last twelve scores, oldest first, the best end on top. No scores draw nothing.

    Scores of a former scale that this one does not have are left out.
    """
    shown = [score for score in scores if scale.holds(score)][-12:]
    if not shown:
        return SafeString()
    points = [(4 + 8.0 * index, 17 - 14 * scale.goodness(score)) for index, score in enumerate(shown)]
    line = " ".join(f"{n(x)},{n(y)}" for x, y in points)
    parts = [f'<polyline class="spark-line" points="{line}"/>'] if len(points) > 1 else []
    for (x, y), score in zip(points, shown, strict=True):
        newest = (x, y) == points[-1]
        tone = f"spark-dot tone-{band(score, scale)}"
        parts.append(f'<circle class="{tone}" cx="{n(x)}" cy="{n(y)}" r="{"3" if newest else "2"}"/>')
    told = escape(title or " ".join(map(str, shown)))
    return as_markup(
        f'<svg class="spark" viewBox="0 0 96 20" role="img" aria-label="{told}">'
        f"<title>{told}</title>{''.join(parts)}</svg>"
    )
