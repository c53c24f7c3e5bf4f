"""Where code and data came from, as plain values."""
