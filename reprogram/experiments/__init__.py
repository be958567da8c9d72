"""Experiments: tasks, predictors and draws become one record."""
