"""Evaluation of transforms: validity of the distribution, accuracy and cost."""
