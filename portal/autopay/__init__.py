"""Autopay under the customer's control: what they allow, what is charged when, and what happens when it fails."""
