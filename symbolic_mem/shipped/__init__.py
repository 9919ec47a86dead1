"""What a wheel carries so that bundled studies answer without SymPy: accounts as data, made when it is built."""
