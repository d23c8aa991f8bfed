"""Structured log lines: JSON in production, readable in the demo; no field can forge a line (INJ-09)."""

import logging
import logging.config
import re
from typing import Any

import structlog

# The path of a link that signs in, or that opens a record; its token must not outlive it in a log (AUN-16, AUZ-06).
_LINK = re.compile(r"(/[ls]/)[A-Za-z0-9_-]{16,}")


def hide_links(_logger: Any, _method: str, line: str) -> str:
    """Return the finished line without the tokens of mailed links."""
    return _LINK.sub(r"\1***", line)


def configure(options: dict[str, Any]) -> None:
    """Set up logging; `options` holds level and json (Django's LOGGING)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if options.get("json")
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "logger", "event"])
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer, hide_links],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": options.get("level", "INFO")},
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
