"""From similarities to decisions, and the measurement of both."""
