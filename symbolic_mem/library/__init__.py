"""A file or a name -> a study with parsed questions."""
