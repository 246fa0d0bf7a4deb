//! Running without a cluster: a folder of manifests and a state folder.
