"""Steps that several questions share."""
