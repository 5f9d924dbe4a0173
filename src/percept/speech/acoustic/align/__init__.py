"""Forced alignment: where each word and phone of a known text is."""
