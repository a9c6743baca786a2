"""The bands of answers that were taken in before a scale was declared or corrected."""

from django.db import transaction

from surveys import scoring
from surveys.eras import Era
from surveys.models import Response, Survey


def band_again(survey: Survey) -> int:
    """Give every answer the band of the scale in force when it was given; how many had another.

    A score its scale does not hold keeps the band it came with: it is counted in no figure.
    """
    with transaction.atomic():
        return sum(_band_era(survey, era) for era in survey.eras)


def _band_era(survey: Survey, era: Era) -> int:
    rows = Response.objects.filter(survey=survey, score__isnull=False)
    if era.since:
        rows = rows.filter(answered_at__gte=era.since)
    if era.until:
        rows = rows.filter(answered_at__lt=era.until)
    changed = 0
    for band, scores in _scores_by_band(era.scale).items():
        changed += rows.filter(score__in=scores).exclude(band=band).update(band=band)
    return changed


def _scores_by_band(scale: scoring.Scale) -> dict[str, list[int]]:
    bands: dict[str, list[int]] = {}
    for score in range(scale.lowest, scale.highest + 1):
        bands.setdefault(scoring.band(score, scale), []).append(score)
    return bands
