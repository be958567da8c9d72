"""Lets old installers find setup.cfg."""

__import__("setuptools").setup()
