"""Language models: neural ones from Bengio's table of vectors on, n-grams, and mixtures of them."""
