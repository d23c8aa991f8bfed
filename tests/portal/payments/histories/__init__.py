"""Random histories of money, in which anything can die or be overtaken between any two of its steps."""
