"""What can be done about autopay: allow, change, pause, revoke, skip, announce, charge."""
