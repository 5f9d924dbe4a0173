"""What is written under ``--out``: label pictures, overlays, probabilities, and of a video one film of overlays."""

from __future__ import annotations

from pathlib import Path

from percept.core.sources import Item
from percept.vision import video
from percept.vision.scene.options import Predict
from percept.vision.scene.result import SceneResult


class Files:
    """Writes the files of each result; the names are those that scripts rely on.

    - ``STEM_labels.png``: class indices with a palette, of a video's frames ``STEM_000012_labels.png``
    - ``STEM_overlay.jpg``: the photo under the classes' colours, whatever format and size the photo has (as a .png it
      takes longer to write than most photos to parse); of a video ``STEM_overlay.mp4``
    - ``STEM_soft.npz``, ``STEM_000012_soft.npz`` with ``--soft``: each class's probabilities
    """

    def __init__(self, options: Predict, out: Path) -> None:
        self.options, self.out = options, out
        self._written: list[str] = []
        self._films = video.Films()

    def add(self, item: Item, result: SceneResult) -> dict[str, str]:
        """Write the files of one result; returns their paths.

        Raises:
            PerceptError: the disk is full, or the folder may not be written.
        """
        base = self.out / item.stem
        frame = "" if item.frame is None else f"_{item.frame:06d}"
        files = {"labels": self._save(base, f"{frame}_labels.png", result)}
        if item.frame is None:
            files["overlay"] = self._save(base, "_overlay.jpg", result)
        else:
            files["overlay"] = self._add_frame(item, base, result)
        if self.options.soft:
            files["soft"] = self._save(base, f"{frame}_soft.npz", result)
        return files

    def close(self) -> list[str]:
        """Finish the open video; returns all that was written."""
        self._films.close()
        return self._written

    def _save(self, base: Path, ending: str, result: SceneResult) -> str:
        path = base.with_name(base.name + ending)
        result.save(path)
        self._written.append(str(path))
        return str(path)

    def _add_frame(self, item: Item, base: Path, result: SceneResult) -> str:
        path = base.with_name(f"{base.name}_overlay.mp4")
        if self._films.write(path, item, self.options.every, result.overlay()):
            self._written.append(str(path))
        return str(path)
