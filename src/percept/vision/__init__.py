"""Tasks that look at pictures, and what they share."""
