"""Make forgeries with masks and twins."""
