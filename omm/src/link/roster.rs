//! Which remotes a central knows, and whom it lets in (spec SM-1C).
