"""The worked solution and the report."""
