"""How the sources that the project ships were trained."""
