"""What a row is held against: the same job as it is usually written."""
