"""What can be done about a company's subscription."""
