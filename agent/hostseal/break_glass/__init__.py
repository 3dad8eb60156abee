"""Break-glass on an operator's machine: who signs, what was granted, and what was taken back."""
