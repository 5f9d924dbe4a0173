"""Objects with boxes: a dense multiscale sliding-window ConvNet (Sermanet et al. 2013, OverFeat)."""
