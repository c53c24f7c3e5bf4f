"""The world behind the built-in league: clubs, schedule and goals."""
