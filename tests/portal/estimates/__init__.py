"""Tests of estimates: written, sent, answered, paid for in advance, made into invoices."""
