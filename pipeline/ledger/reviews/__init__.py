"""What editors decided about claims, events and names: a file of decisions comes in, changed findings go out."""
