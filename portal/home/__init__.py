"""The first screen of the portal."""
