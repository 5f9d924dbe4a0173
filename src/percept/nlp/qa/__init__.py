"""Question answering about short stories by memory networks (Weston 2014, 2015; Sukhbaatar 2015)."""
