"""Acoustic models: phones, words and command words of speech."""
