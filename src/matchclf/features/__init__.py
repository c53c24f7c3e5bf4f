"""Features of a match, all known before its day: one module and one function a family."""
