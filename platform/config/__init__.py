"""Settings, entry points and URL maps: how the parts are put together."""
