"""The office's browsers, for the settings pages."""

from tests.portal.office.conftest import staff_of

__all__ = ["staff_of"]
