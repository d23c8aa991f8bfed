"""What keeps each payment failure harmless, taken out piece by piece so that a test is seen to miss it."""
