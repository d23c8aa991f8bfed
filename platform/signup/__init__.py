"""The apex: landing, sign-up, verification, progress."""
