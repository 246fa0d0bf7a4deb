//! Running in a cluster: controllers, secrets, status, leadership.
