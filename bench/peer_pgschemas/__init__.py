"""A company and its host as the documentation of django-pgschemas has one write them."""
