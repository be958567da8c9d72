"""Predictors: what is fitted on labelled rows and predicts."""
