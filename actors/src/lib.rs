//! Who runs the machines: thin actix actors around one seat.
