"""The molecular source: networks, pretraining, files, quality."""
