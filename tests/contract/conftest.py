"""Lets the tests here find the modules that they share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before a test imports onnxruntime; percept sets it for itself
sys.path.insert(0, str(Path(__file__).parent))
