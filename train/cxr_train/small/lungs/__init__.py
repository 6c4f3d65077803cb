"""Lung fields: learned from films with drawn lungs, and measured on others."""
