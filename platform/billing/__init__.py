"""What companies pay us: plans, trials, subscriptions, reminders, and the hold of the office."""
