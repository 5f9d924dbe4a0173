"""Fresh stories of the small world, a module for each group of kinds; the answers come from what is simulated."""
