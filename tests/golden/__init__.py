"""What releases wrote, and what this build makes of it."""
