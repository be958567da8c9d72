"""Diagnosis: linear probe or program, before training."""
