"""What is in a photo: a dense multiscale ImageNet classifier (Sermanet et al. 2013, section 3)."""
