"""The company itself and what its owner decides."""
