"""What is pure: the decider interface, money, ids, errors and limits."""
