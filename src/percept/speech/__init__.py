"""Tasks that listen, and what they share."""
