"""Train video GANs with Keras 3. Importing this package loads no backend."""

__version__ = "0.1.0"
