"""What an operator asks: partitions, dead letters, the log, and whether everything still holds."""
