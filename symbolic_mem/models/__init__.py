"""What is trained: layers as tensors with symbolic shapes."""
