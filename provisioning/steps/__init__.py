"""The steps of a provisioning run, one module each: check whether it is done, act, verify (platform.md 3.5)."""
