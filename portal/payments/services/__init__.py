"""What can be done about money: submit, settle, connect an account."""
