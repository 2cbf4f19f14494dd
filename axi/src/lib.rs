//! How OMMs and AXI clients spell it on the wire.
