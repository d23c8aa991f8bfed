"""What can happen to a sign-up; each function runs in the caller's control transaction."""
