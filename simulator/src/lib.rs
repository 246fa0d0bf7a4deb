//! A ServiceNow instance and a callback receiver for tests, demo and benchmarks.
