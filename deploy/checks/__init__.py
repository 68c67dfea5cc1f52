"""What deploy/verify checks: one module a part. Each has a function `main()`."""
