"""The faces: LaTeX, MathML, documents, PDF."""
