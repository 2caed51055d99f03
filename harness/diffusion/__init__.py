"""A loaded denoiser, the noise of samplers, and sampling without a suite."""
