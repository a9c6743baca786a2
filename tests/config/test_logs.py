import io
import json
import logging
import logging.config

import pytest
import structlog

from config import logs


def line_of(log_format: str) -> str:
    """What one caught error of a customer's handling prints."""
    settings = logs.configure(log_format)
    stream = io.StringIO()
    formatter = settings["formatters"]["line"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=formatter["foreign_pre_chain"], processors=formatter["processors"]
        )
    )
    log = logging.Logger("redress")
    log.addHandler(handler)
    try:
        secret_words = "my card was stolen"
        raise ValueError(len(secret_words))
    except ValueError:
        log.exception("not recorded", extra={"response": 7})
    return stream.getvalue()


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_it_keeps_what_customers_said_out_of_the_log(log_format: str) -> None:
    line = line_of(log_format)
    assert "not recorded" in line
    assert "ValueError" in line
    assert "stolen" not in line


def test_it_writes_one_json_object_a_line() -> None:
    fact = json.loads(line_of("json"))
    assert (fact["event"], fact["level"], fact["response"]) == ("not recorded", "error", 7)
