"""Adapters that know nothing of the business."""
