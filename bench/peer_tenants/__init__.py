"""A company and its host as the documentation of django-tenants has one write them."""
