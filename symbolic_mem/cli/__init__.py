"""The command line: one thin command per verb, each importing the library only when it runs."""
