"""Layers and losses shared by the families; of kvidgan imports nothing but its one exception."""
