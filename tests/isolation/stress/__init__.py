"""A storm of threads, tasks and streams of several companies, run in a process of its own on either backend."""
