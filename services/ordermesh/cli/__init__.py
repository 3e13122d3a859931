"""The command line: one tool to run the engine, to talk to it, to replay real orders, to audit and to measure it."""
