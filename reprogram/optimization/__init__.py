"""Optimization of molecules by queries."""
