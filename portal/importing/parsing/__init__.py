"""Readers for the single values found in exports: money, dates, phones, e-mail addresses, words."""
