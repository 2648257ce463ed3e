"""Layers and losses shared by the families; imports nothing else of kvidgan."""
