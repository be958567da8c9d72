"""Threat models: what an attacker may change, and how much."""
