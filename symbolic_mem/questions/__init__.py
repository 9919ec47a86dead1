"""One file a question type; the registry names them."""
