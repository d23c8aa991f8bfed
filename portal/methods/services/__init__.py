"""What can be done about methods on file: add, replace, remove, choose, follow what Stripe tells of them."""
