"""The migrations of invoices with one more, as the next release might bring it: a column, an index and a table."""

from portal.invoices import migrations as present

__path__ = [*present.__path__, *__path__]
