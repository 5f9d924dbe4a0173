"""The texts and the plain model that these tests share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
