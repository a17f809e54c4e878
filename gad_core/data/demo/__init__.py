"""Procedural demo parts that look like photos: a texture, an object, an assembly, and a trap for detectors."""

from gad_core.data.demo.photos import Photo, photo
from gad_core.data.demo.writing import CATEGORIES, write_demo

__all__ = ["CATEGORIES", "Photo", "photo", "write_demo"]
