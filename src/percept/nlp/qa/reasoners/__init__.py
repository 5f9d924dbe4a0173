"""Answers found by rules instead of learning: each follows the sentences of one small world and reads the answer off.

They share nothing with the simulator but the language: what it writes and what the published files say is checked by
them, and so are a person's own stories in that language (``percept data check``).
"""
