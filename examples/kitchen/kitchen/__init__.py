"""Create, converge, verify and destroy sandboxes: a small Test Kitchen, the example product of otel-bridge."""

__version__ = "3.6.0"
