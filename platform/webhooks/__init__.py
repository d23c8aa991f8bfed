"""What Stripe tells us: received, kept, handed on."""
