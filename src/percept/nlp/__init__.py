"""Tasks that read, and what they share."""
