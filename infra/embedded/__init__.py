"""PostgreSQL and Valkey from wheels, and the supervisor behind `./porchlight up`."""
