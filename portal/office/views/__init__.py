"""The office's pages, one module for each part of the menu."""
