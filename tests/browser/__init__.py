"""Walks through the running product in a real Chromium."""
