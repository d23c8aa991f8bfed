"""Files and pictures of a company."""
