"""The web process's entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# isort: split
from config.start import refuse_shared_sessions, warm_up  # noqa: E402  Django must be set up before

refuse_shared_sessions()
warm_up()
