"""The engine in virtual time, the drill that breaks it, and the parts of the simulation itself."""
